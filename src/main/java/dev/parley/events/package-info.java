/**
 * {@code GET /events} and {@code POST /events}: checks what a client asks for, and gives its
 * connection to the hub, which writes the stream.
 */
@NullMarked
package dev.parley.events;

import org.jspecify.annotations.NullMarked;
