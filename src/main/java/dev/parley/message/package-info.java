/**
 * What is said: a {@link dev.parley.message.Message} in a {@link dev.parley.message.Room}, the
 * {@link dev.parley.message.EventId} under which it is remembered, and its one JSON form. Value
 * types that depend on the JDK and a JSON library alone; an instance is always valid.
 */
@NullMarked
package dev.parley.message;

import org.jspecify.annotations.NullMarked;
