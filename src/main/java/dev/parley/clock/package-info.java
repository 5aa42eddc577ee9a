/** {@code GET /clock}: an event stream without rooms, to test a network or a client with. */
@NullMarked
package dev.parley.clock;

import org.jspecify.annotations.NullMarked;
