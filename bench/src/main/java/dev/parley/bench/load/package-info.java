/**
 * The load client: one small process with all readers and publishers, which also reads the measured
 * server's counters from {@code /proc}. It has two threads, and no library except the histogram and
 * the JSON of its output.
 */
@NullMarked
package dev.parley.bench.load;

import org.jspecify.annotations.NullMarked;
