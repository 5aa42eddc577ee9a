/**
 * A pod's copies of rooms' logs, from which streams are served, and how they are kept equal to the
 * broker's logs.
 *
 * <p>A room that is read on this pod has a {@link dev.parley.log.RoomLog}: a bounded ring of {@link
 * dev.parley.log.RoomLog.Frame}s. A frame is a message that is encoded once for all streams of a
 * format. {@link dev.parley.log.RoomReplica} appends what the broker delivers to that log. When
 * something hints at a difference, it compares the log with the broker's and makes it equal; what
 * follows from a message or an answer of the broker is decided by {@link
 * dev.parley.log.ReplicaState}. {@link dev.parley.log.OpenRooms} has the open rooms, and drops
 * those that are no longer read.
 *
 * <pre>
 *   broker's log (Redis, memory)   1 2 3 4 5 6 7 8 9 10 11 12
 *   the pod's RoomLog                          7 8 9 10 11 12
 *                                              │            │
 *                                           oldest         head
 *   a cursor                                             ▲
 *                                                        offset 10: 11 and 12 are next
 * </pre>
 *
 * <p>The package knows neither streams nor HTTP. It calls its observers when a log has changed;
 * they read the log themselves.
 */
@NullMarked
package dev.parley.log;

import org.jspecify.annotations.NullMarked;
