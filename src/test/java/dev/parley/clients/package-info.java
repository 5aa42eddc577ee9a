/**
 * Runs the SSE client libraries that people use against real pods, and keeps {@code
 * docs/clients.md} true.
 *
 * <p>{@link dev.parley.clients.ClientLibrary} lists the libraries, {@link
 * dev.parley.clients.Scenario} what each of them goes through. {@link
 * dev.parley.clients.ClientLibrariesIT} runs every library through every scenario. The drivers,
 * which contain the examples of the document, are {@link dev.parley.clients.JavaClients} and the
 * scripts in {@code src/test/resources/dev/parley/clients/drivers}.
 */
@NullMarked
package dev.parley.clients;

import org.jspecify.annotations.NullMarked;
