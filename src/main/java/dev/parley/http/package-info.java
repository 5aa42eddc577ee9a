/**
 * The HTTP edge, shared by all calls: the guards and filters that a request passes before it
 * reaches a call, the parsing of common parameters, and the answer to every error.
 *
 * <p>A request passes these, from top to bottom:
 *
 * <pre>
 *   connection   ConnectionGuardInstaller, ConnectionGuard   from when it is accepted
 *   (Netty)      WaitingOpening                              /events, native: waits as bytes
 *                TlsHandshake, TlsRecordGuard                with TLS
 *                Http1LineGuard or Http2FrameGuard           in front of the decoder
 *                PipelinedRequests                           behind the decoder of HTTP/1
 *
 *   router       RequestGuard, RequestTarget                 the target, the headers and the body
 *   (Vert.x)     AnswerHeaders                               headers of every answer
 *                ForwardedOrigin                             for the framework's filter of origins
 *                CrossOriginRefusals                         pages that this filter would fail at
 *                StreamOpenings                              /events: waits for its turn
 *
 *   filters      ContentNegotiation, AllowedMethods          before a call is chosen
 *   (REST)       access.AuthenticationFilter                 who makes the call
 *
 *   call         QueryParameters, UrlEncodedForm,            what it reads the request with
 *                ContentCoding, TextEncoding
 *
 *   errors       RefusedRequest, ErrorCode, Problem          of calls, filters and RequestGuard
 *                UncaughtErrors                              what no code expects
 * </pre>
 *
 * <p><b>Bounds.</b> {@link dev.parley.http.ServerBounds} counts what all connections hold together,
 * and what those of one address do. A connection counts there by its {@link
 * dev.parley.http.ConnectionGuard}, which has an {@link dev.parley.http.IncompleteInput} for what
 * is not complete, {@link dev.parley.http.ArrivingBodies} and {@link
 * dev.parley.http.OutgoingAnswers}. What waits for the broker, or is a large answer, counts in
 * {@link dev.parley.http.PendingPublishes} and {@link dev.parley.http.PendingAnswers}.
 *
 * <p><b>Addresses.</b> {@link dev.parley.http.ClientAddress} finds the address that a request
 * counts for, which a proxy in front names ({@link dev.parley.http.TrustedProxies}).
 */
@NullMarked
package dev.parley.http;

import org.jspecify.annotations.NullMarked;
