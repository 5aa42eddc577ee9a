/**
 * The HTTP edge, shared by all calls: the guards and filters that a request passes before it
 * reaches a call, the parsing of common parameters, and the answer to every error.
 */
@NullMarked
package dev.parley.http;

import org.jspecify.annotations.NullMarked;
