/** What one pod alone knows about access: tickets and revocations in its memory. */
@NullMarked
package dev.parley.access.memory;

import org.jspecify.annotations.NullMarked;
