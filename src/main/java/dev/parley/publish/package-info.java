/**
 * {@code POST /send}. {@link dev.parley.publish.SendResource} has all steps of the call, from the
 * rate limit to the receipt, and reads the message from each form in which it can come.
 */
@NullMarked
package dev.parley.publish;

import org.jspecify.annotations.NullMarked;
