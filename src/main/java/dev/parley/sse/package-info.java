/**
 * Server-Sent Events (WHATWG HTML §9.2): how what a stream says is written, and the HTTP
 * connections that carry it, taken over from the server where that is possible.
 */
@NullMarked
package dev.parley.sse;

import org.jspecify.annotations.NullMarked;
