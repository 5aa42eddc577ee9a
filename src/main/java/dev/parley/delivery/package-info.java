/**
 * Delivery: streams, and cursors that move through logs.
 *
 * <p><b>The idea.</b> A room is a log ({@link dev.parley.log}). A {@link
 * dev.parley.delivery.Stream} is one client's connection; its {@link dev.parley.delivery.Cursor} is
 * a position in the room's log. There is no queue per client. A message is appended to the log
 * once; delivery then moves every cursor from where it is to the head, and writes what lies between
 * to its stream. A client that resumes, that begins with history, or that catches up is served in
 * the same way: its cursor begins at an earlier offset. The cursor of a client that accepts no
 * bytes does not move, and takes no memory except its place in a list.
 *
 * <pre>
 *   log     … 38 39 40 41 42 43        head = 43
 *   cursors            ▲  ▲     ▲      ▲ is under the message that is next
 *                      a  b     c      c is up to date; one round writes 42 43 to b
 *                                      and 41 42 43 to a
 * </pre>
 *
 * <p><b>A round.</b> {@link dev.parley.log.RoomReplica} calls its observers when the log has
 * changed. They are groups of cursors, one for each event loop that has cursors in the room. The
 * group arms its {@link dev.parley.delivery.DeliveryLoop} once. When the loop runs, each group
 * makes a {@link dev.parley.delivery.DeliveryLoop.BatchCache} and advances its cursors: cursors at
 * the same offset share one batch, encoded and framed once ({@link
 * dev.parley.delivery.Connection.SharedBuffer}).
 *
 * <p><b>Threads.</b> A stream, its cursors, its group and its delivery loop live on the event loop
 * of the connection and take no locks. Other threads reach them only through {@link
 * dev.parley.delivery.EventLoop#execute}: a message arms a loop, answers of the broker come back by
 * {@code Stream.whenDone}, the drain ends streams. {@link dev.parley.delivery.Hub} may be called
 * from any thread, except that a stream is opened on its connection's event loop.
 *
 * <p>Knows neither HTTP nor Netty nor Redis: the transport is a {@link
 * dev.parley.delivery.Connection}, the bytes come from a {@link dev.parley.delivery.StreamEncoder}.
 */
@NullMarked
package dev.parley.delivery;

import org.jspecify.annotations.NullMarked;
