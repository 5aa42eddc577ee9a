/** The pages in a real browser, against real pods on a real Redis. */
@NullMarked
package dev.parley.page;

import org.jspecify.annotations.NullMarked;
