/**
 * What the platform needs to run a pod: liveness, readiness and startup checks, the drain on
 * SIGTERM, a limit of streams that fits the limit of open files, the return of memory after many
 * streams have ended, and a bound of the warnings and errors in the log, so that no client can
 * multiply them. (One line for each ticket is information: {@code parley.access.ticket-rate} bounds
 * it.)
 */
@NullMarked
package dev.parley.ops;

import org.jspecify.annotations.NullMarked;
