/**
 * The access to Redis: connections that are made again when they end, commands and scripts, the
 * subscription, the probe that checks whether messages flow, and the watch on evicted keys. Knows
 * neither rooms nor messages.
 *
 * <pre>
 *   RedisConnections ─┬─ ServerConnections   one Redis: one RedisNode; with Sentinels a PrimaryWatch
 *                     └─ ClusterConnections  a Cluster: a RedisNode for each master that has slots
 *
 *   RedisNode         one server: two RedisLinks (commands, subscription), LoopConnections,
 *                     RedisCommands, RedisSubscription, RedisProbe, RedisWrites, EvictionWatch
 * </pre>
 *
 * <p><b>On a Cluster</b> each key and each channel is in one of 16,384 slots, and each slot at one
 * master ({@link dev.parley.redis.ClusterSlots}). {@link dev.parley.redis.ClusterConnections} sends
 * a command to the master of its key, subscribes to a room's channel at the master of its name, and
 * follows when slots move or a replica takes over. Of the Redis client (Vert.x) only the one for a
 * single server is used, since its client for Clusters cannot subscribe by slot and connects to all
 * nodes or to none.
 */
@NullMarked
package dev.parley.redis;

import org.jspecify.annotations.NullMarked;
