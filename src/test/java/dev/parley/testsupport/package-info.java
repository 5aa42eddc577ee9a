/**
 * What tests of running programs are built from.
 *
 * <ul>
 *   <li>Processes: {@link dev.parley.testsupport.ParleyProcess} is a pod and {@link
 *       dev.parley.testsupport.RedisServer} a Redis server; both can be killed, paused and started
 *       again.
 *   <li>Clients: {@link dev.parley.testsupport.Http} publishes and gets pages, {@link
 *       dev.parley.testsupport.SseReader} reads an event stream as a browser does, {@link
 *       dev.parley.testsupport.RawConnection} sends any bytes, {@link
 *       dev.parley.testsupport.Browser} is a real browser.
 *   <li>Faults: {@link dev.parley.testsupport.TcpProxy} cuts, holds back and redirects connections.
 *   <li>Other programs: {@link dev.parley.testsupport.Tool} runs one that is on the {@code PATH}.
 * </ul>
 *
 * <p>Nothing here uses Parley's classes, except {@link dev.parley.testsupport.ConfigKeys}, which
 * reads the settings from the code. Tests therefore see what a user sees: HTTP, TCP and Redis.
 */
@NullMarked
package dev.parley.testsupport;

import org.jspecify.annotations.NullMarked;
