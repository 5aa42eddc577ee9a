/** Micro-benchmarks of the parts that run once a message or once a delivery. */
@NullMarked
package dev.parley.bench.jmh;

import org.jspecify.annotations.NullMarked;
