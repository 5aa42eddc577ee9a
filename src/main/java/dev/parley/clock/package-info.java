/** {@code GET /clock}: the smallest event stream there is, to try a network and a client with. */
@NullMarked
package dev.parley.clock;

import org.jspecify.annotations.NullMarked;
