/**
 * What the platform needs to run a pod: liveness, readiness and startup checks, the drain on
 * SIGTERM, and a limit of streams that fits the limit of open files.
 */
@NullMarked
package dev.parley.ops;

import org.jspecify.annotations.NullMarked;
