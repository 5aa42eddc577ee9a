/**
 * The broker of many pods, in one Redis or a Redis Cluster ({@link
 * dev.parley.broker.redis.RedisBroker}), or in several independent ones ({@link
 * dev.parley.broker.redis.ServersBroker}), each of which has a part of the rooms. A room is a Redis
 * stream with explicit ids, so that offsets have no holes. Publish/subscribe announces a message to
 * every pod that reads its room. A pod that misses an announcement reads the message from the
 * stream.
 *
 * <p><b>Keys</b>, with the prefix {@code parley} ({@code parley.redis.prefix}) and room {@code
 * kitchen}. The braces are a hash tag: all keys of a room are in one slot of a Cluster.
 *
 * <table>
 *   <caption>Data model</caption>
 *   <tr><th>key</th><th>type</th><th>holds</th><th>lives</th></tr>
 *   <tr><td>{@code parley:{kitchen}:head}</td><td>hash</td><td>{@code epoch}, such as {@code k3f9};
 *       {@code offset}, that of the newest message ever accepted; {@code server}, the replication id
 *       of the server that counts; {@code past}, epochs that have ended and their last offsets;
 *       {@code ended}, the same for receipts alone; {@code lost}, the highest offset that was lost
 *       with the log before its time; {@code bytes}, bytes of bodies ever accepted; {@code expires}, when the log
 *       ends by itself; {@code first_at} and {@code first_before}, what is known of the oldest
 *       message</td><td>the age of the room's history, or {@code parley.history.receipts} if that is
 *       longer, after the last publish or read, and up to a hundredth more; an hour at least</td></tr>
 *   <tr><td>{@code parley:{kitchen}:log}</td><td>stream</td><td>an entry a message: id {@code
 *       42-0} for offset 42; field {@code at}, ms since 1970 by Redis's clock; field {@code body},
 *       JSON of {@code text}, {@code from}, {@code event}, {@code ttl}, {@code verified}; field {@code before}, bytes accepted
 *       before it</td><td>the age of the room's history after the last publish (a read does not prolong it),
 *       and up to a hundredth more</td></tr>
 *   <tr><td>{@code parley:{:servers}}</td><td>hash</td><td>only with several servers: the lists of
 *       them that were in force here; see {@link dev.parley.broker.redis.Generations}</td><td>for
 *       ever</td></tr>
 *   <tr><td>{@code parley:{:probe:POD}}</td><td>string</td><td>nothing of use: a pod writes it to see
 *       whether the server accepts writes</td><td>removed again at once</td></tr>
 *   <tr><td>{@code parley:{kitchen}:receipt:KEY SENDER}</td><td>string</td><td>the id that the
 *       sender's first publish under the idempotency key KEY was given, and a digest of its body;
 *       the sender is the name that it gives itself, or {@code person:} and a digest of whom its
 *       token is for; {@code KEY} alone if it is not known</td><td>{@code
 *       parley.history.receipts}</td></tr>
 *   <tr><td>{@code parley:{kitchen}:once:KEY}</td><td>string</td><td>the id alone: the receipt of
 *       version 0.1, which is written too while pods of it run</td><td>{@code
 *       parley.history.receipts}</td></tr>
 * </table>
 *
 * <p>In mode {@code token} there are also the keys of {@code dev.parley.access.redis}.
 *
 * <p><b>Channels.</b> {@code parley:{kitchen}:live}: every accepted message of the room, as {@code
 * <room> <id> <at> <body>}, for example {@code kitchen k3f9-42 1767225600000 {"text":"hello"}}. A
 * pod is subscribed to the channels of the rooms that it reads. {@code parley:probe:POD}: a pod's
 * messages to itself, on a Cluster {@code parley:{:probe:POD.N}}, with an N for each master. {@code
 * chat} ({@code parley.redis.plain-channel}): plain text that any program may publish to the
 * streams of the lobby. {@code parley:live}: the channel of version 0.1, for all rooms; see
 * publish.lua. On a Cluster of Redis 7 or later the channels with braces are sharded: the message
 * is passed to the pods that have subscribed at the node of its slot, and to no other node.
 *
 * <p><b>Scripts.</b> Each Lua file names its keys and arguments, and belongs to one class, which
 * makes the arguments and reads the reply: {@link dev.parley.broker.redis.PublishScript}, {@link
 * dev.parley.broker.redis.ReadScript}, {@link dev.parley.broker.redis.EndEpochScript}, {@link
 * dev.parley.broker.redis.Generations}. Redis runs one script at a time, which is what makes a
 * publish one step.
 *
 * <p><b>When a key is lost alone.</b> Without its head a room starts a new epoch and its log is
 * dropped, since the count is gone. Without its log it keeps epoch and count: a reader that had not
 * received all of the lost messages receives a gap, and a reader that had continues. The first
 * script that finds the log gone earlier than it {@code expires} tells its pod, which logs it; the
 * receipts of the room's messages up to then are worth nothing. When the log ends in time, nothing
 * is lost, and the receipts go on counting.
 */
@NullMarked
package dev.parley.broker.redis;

import org.jspecify.annotations.NullMarked;
