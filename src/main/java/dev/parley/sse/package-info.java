/**
 * Server-Sent Events (WHATWG HTML §9.2): the event stream format, and the HTTP connections that
 * carry it, which are taken over from the server where that is possible.
 */
@NullMarked
package dev.parley.sse;

import org.jspecify.annotations.NullMarked;
