/**
 * What the platform needs to run a pod: liveness, readiness and startup checks, the drain on
 * SIGTERM, a limit of streams that fits the limit of open files, and a log whose lines no client
 * can multiply.
 */
@NullMarked
package dev.parley.ops;

import org.jspecify.annotations.NullMarked;
