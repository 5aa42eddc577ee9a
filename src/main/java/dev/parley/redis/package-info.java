/**
 * The access to Redis: connections that are made again when they end, commands and scripts, the
 * subscription, and the probe that checks whether messages flow. Knows neither rooms nor messages.
 */
@NullMarked
package dev.parley.redis;

import org.jspecify.annotations.NullMarked;
