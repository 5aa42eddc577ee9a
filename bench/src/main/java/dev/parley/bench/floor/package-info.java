/** The server {@code floor}: the least that a program does to bring messages to readers. */
@NullMarked
package dev.parley.bench.floor;

import org.jspecify.annotations.NullMarked;
