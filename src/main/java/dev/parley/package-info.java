/** A chat and live-update server: the parts are in the packages below, put together here. */
@NullMarked
package dev.parley;

import org.jspecify.annotations.NullMarked;
