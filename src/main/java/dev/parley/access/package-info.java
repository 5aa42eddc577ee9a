/**
 * Who may do what. A caller proves who they are by a token ({@link TokenVerifier}) or by a ticket
 * that was given for one; the token's {@link Grants} say which rooms they may read and write.
 *
 * <p>With {@code parley.access.mode=open}, the default, everybody may read and write every room.
 */
@NullMarked
package dev.parley.access;

import org.jspecify.annotations.NullMarked;
