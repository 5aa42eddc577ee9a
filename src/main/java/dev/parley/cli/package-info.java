/**
 * The commands that run instead of the server, in the same program: {@link dev.parley.cli.Commands}
 * finds the one that the first argument names. Each command is a class.
 */
@NullMarked
package dev.parley.cli;

import org.jspecify.annotations.NullMarked;
