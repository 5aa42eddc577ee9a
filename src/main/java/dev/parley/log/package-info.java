/**
 * A pod's copies of rooms' logs: what readers are served from, and how it is kept equal to the
 * broker's.
 *
 * <p>A room that is read on this pod is a {@link dev.parley.log.RoomLog}: a bounded ring of {@link
 * dev.parley.log.Frame}s, each a message encoded once however many readers it has. {@link
 * dev.parley.log.RoomReplica} appends what the broker delivers, and repairs the copy by comparing
 * it with the broker's log whenever anything hints at a difference. {@link
 * dev.parley.log.OpenRooms} knows which rooms are open, and drops those that are no longer read.
 *
 * <pre>
 *   broker's log (Redis, memory)   1 2 3 4 5 6 7 8 9 10 11 12
 *   the pod's RoomLog                          7 8 9 10 11 12
 *                                              │            │
 *                                           oldest         head
 *   a cursor                                          ▲
 *                                                   offset 10: 11 and 12 are next
 * </pre>
 *
 * <p>The package knows neither streams nor HTTP; its observers are told that a log has changed and
 * read from it themselves.
 */
@NullMarked
package dev.parley.log;

import org.jspecify.annotations.NullMarked;
