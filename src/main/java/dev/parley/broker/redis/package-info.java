/**
 * The broker of many pods: one Redis. A room is a stream with explicit ids, so that offsets have no
 * holes; publish/subscribe carries every message to every pod; whatever that drops is read from the
 * stream. The only package that knows Redis.
 */
@NullMarked
package dev.parley.broker.redis;

import org.jspecify.annotations.NullMarked;
