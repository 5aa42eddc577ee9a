/** {@code GET /rooms/{room}/messages}: what a broker remembers of a room, as pages of JSON. */
@NullMarked
package dev.parley.history;

import org.jspecify.annotations.NullMarked;
