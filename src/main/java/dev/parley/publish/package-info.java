/** {@code POST /send}: the forms in which a message may come, its limits, and the receipt. */
@NullMarked
package dev.parley.publish;

import org.jspecify.annotations.NullMarked;
