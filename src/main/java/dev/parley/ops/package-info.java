/** What operators and callers see when something is not as it should be: health, errors. */
@NullMarked
package dev.parley.ops;

import org.jspecify.annotations.NullMarked;
