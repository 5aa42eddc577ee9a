/** Pauses between attempts. */
@NullMarked
package dev.parley.retry;

import org.jspecify.annotations.NullMarked;
