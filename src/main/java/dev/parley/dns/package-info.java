/** Looking up host names without blocking an event loop. */
@NullMarked
package dev.parley.dns;

import org.jspecify.annotations.NullMarked;
