/**
 * What the tests stand on: real processes (Redis, Parley pods) that can be killed and paused, a
 * browser's {@code EventSource} without a browser, and a network that fails on demand. But for
 * {@link dev.parley.testsupport.ConfigKeys}, which reads the settings from the code, nothing here
 * knows Parley's classes: it speaks HTTP, TCP and Redis's protocol only, so that a test sees what a
 * user sees.
 */
@NullMarked
package dev.parley.testsupport;

import org.jspecify.annotations.NullMarked;
