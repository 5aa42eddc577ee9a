/** Micro-benchmarks of code that runs once for each message or once for each delivery. */
@NullMarked
package dev.parley.bench.jmh;

import org.jspecify.annotations.NullMarked;
