/** Tests of the pages in a real browser, mostly with real pods on a real Redis. */
@NullMarked
package dev.parley.page;

import org.jspecify.annotations.NullMarked;
