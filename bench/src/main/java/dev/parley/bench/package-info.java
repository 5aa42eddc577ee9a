/**
 * The benchmark. For each scenario and server it starts the server as a process, runs the {@link
 * dev.parley.bench.load load client} against it, and stops both; at the end it prints the figures.
 * Their meaning is explained in {@code docs/performance.md}.
 */
@NullMarked
package dev.parley.bench;

import org.jspecify.annotations.NullMarked;
