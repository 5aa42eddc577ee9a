/**
 * The access to Redis: connections that are made again when they end, commands and scripts, the
 * subscription, the probe that checks whether messages flow, and the watch on evicted keys. Knows
 * neither rooms nor messages.
 */
@NullMarked
package dev.parley.redis;

import org.jspecify.annotations.NullMarked;
