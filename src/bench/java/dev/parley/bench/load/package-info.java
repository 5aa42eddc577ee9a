/**
 * The load client: readers and publishers in one small process of their own, which also reads the
 * measured server's counters from {@code /proc}. Two threads; no library but the histogram.
 */
@NullMarked
package dev.parley.bench.load;

import org.jspecify.annotations.NullMarked;
