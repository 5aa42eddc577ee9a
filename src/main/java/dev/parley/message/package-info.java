/**
 * What is said: a {@link dev.parley.message.Message} in a {@link dev.parley.message.Room}, and the
 * {@link dev.parley.message.EventId} under which it is remembered. Value types that depend on the
 * JDK alone; whoever holds one holds a valid one.
 */
@NullMarked
package dev.parley.message;

import org.jspecify.annotations.NullMarked;
