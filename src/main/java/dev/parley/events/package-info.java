/**
 * {@code GET /events}: what a subscription may ask for, and how the hub's words become a
 * Server-Sent Events stream (WHATWG HTML §9.2) on an HTTP connection.
 */
@NullMarked
package dev.parley.events;

import org.jspecify.annotations.NullMarked;
