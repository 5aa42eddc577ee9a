/**
 * The broker of a pod that stands alone: rooms remembered in its own memory, as long as the process
 * lives.
 */
@NullMarked
package dev.parley.broker.memory;

import org.jspecify.annotations.NullMarked;
