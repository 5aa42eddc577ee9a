/**
 * Who may do what. A caller proves who they are by a token ({@link TokenVerifier}) or by a ticket
 * that was given for one; the token's {@link Grants} say which rooms they may read and write.
 *
 * <pre>
 *   credential   AuthenticationFilter, Authenticator   before each call
 *                Credential, CookieRules               a token (header, cookie) or a ticket (query)
 *
 *   check        WaitingCheck, CredentialChecks        waits for its turn: few of an address at once
 *                TokenVerifier                         a token; RecentTokens has earlier outcomes
 *                  Issuers, IssuerKeys, FetchedKeys    who may have signed it, and with which keys
 *                  ClaimsMapping                       whom it is for, and what it permits
 *                Tickets                               a ticket; AccessStore has its token
 *                Revocations                           refuses a token that was revoked
 *
 *   caller       Caller                                a VerifiedToken: a Person and their Grants,
 *                                                      and what everybody may do; kept with the request
 *
 *   rights       AuthorizedRooms                       which rooms the caller may use: the only way
 *                                                      from a call to the hub and the broker
 *
 *   notes        Denials, AuditLog, AccessMeters       what was denied, and what was done
 * </pre>
 *
 * <p>Two calls are here: {@link TicketsResource} gives a ticket for a token, and {@link
 * RevocationsResource} takes rights away. {@link AccessStore} has the tickets and the revocations
 * of all pods.
 *
 * <p>With {@code parley.access.mode=open}, the default, everybody may read and write every room.
 */
@NullMarked
package dev.parley.access;

import org.jspecify.annotations.NullMarked;
