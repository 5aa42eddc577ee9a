/**
 * The benchmark: starts the servers that are compared, each as a process of its own, lets a {@link
 * dev.parley.bench.load load client} do the scenarios one after the other, and prints what came
 * out. What the figures mean is in {@code docs/performance.md}.
 */
@NullMarked
package dev.parley.bench;

import org.jspecify.annotations.NullMarked;
