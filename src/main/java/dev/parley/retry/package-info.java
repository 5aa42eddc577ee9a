/** How long to wait before something is tried again. */
@NullMarked
package dev.parley.retry;

import org.jspecify.annotations.NullMarked;
