/**
 * The HTTP edge: what every request passes before it reaches a call, and how errors are answered.
 */
@NullMarked
package dev.parley.http;

import org.jspecify.annotations.NullMarked;
