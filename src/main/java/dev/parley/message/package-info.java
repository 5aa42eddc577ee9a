/**
 * Value types: a {@link dev.parley.message.Message} in a {@link dev.parley.message.Room}, the
 * {@link dev.parley.message.EventId} under which a broker stores it, and the JSON form of a
 * message. An instance is always valid. The package depends on the JDK and on a JSON library only.
 */
@NullMarked
package dev.parley.message;

import org.jspecify.annotations.NullMarked;
