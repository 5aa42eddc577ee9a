/**
 * {@code GET /rooms/{room}/messages}: the history that the broker keeps of a room, as pages of
 * JSON.
 */
@NullMarked
package dev.parley.history;

import org.jspecify.annotations.NullMarked;
