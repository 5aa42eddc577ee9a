/** What settings of several packages have in common. */
@NullMarked
package dev.parley.settings;

import org.jspecify.annotations.NullMarked;
