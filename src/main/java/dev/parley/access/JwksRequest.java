package dev.parley.access;

import dev.parley.dns.NameLookups;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.impl.ContextInternal;
import io.vertx.core.net.PemTrustOptions;
import io.vertx.core.net.SocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * Gets a JWK set by HTTP, without blocking a thread that serves clients. The look-up of the
 * server's name may take five seconds. The answer has to be 200, complete within five seconds after
 * it, and no longer than 256 KB; redirects are not followed.
 */
final class JwksRequest {

    /**
     * Longest time for the look-up of the server's name, and from there to the last byte of the
     * answer.
     */
    static final Duration TIMEOUT = Duration.ofSeconds(5);

    private static final int MAX_BYTES = 256 * 1024;
    private static final int OK = 200;
    private static final int HTTP_PORT = 80;
    private static final int HTTPS_PORT = 443;

    private final Vertx vertx;
    private final HttpClient client;
    private final URI address;
    private final Duration timeout;

    /**
     * @param ca a file of certificates to trust instead of the JVM's
     */
    JwksRequest(Vertx vertx, URI address, Optional<Path> ca, Duration timeout) {
        this.vertx = vertx;
        this.address = address;
        this.timeout = timeout;
        var options =
                new HttpClientOptions()
                        .setKeepAlive(false)
                        .setConnectTimeout((int) timeout.toMillis());
        ca.ifPresent(
                file ->
                        options.setTrustOptions(
                                new PemTrustOptions().addCertPath(file.toString())));
        this.client = vertx.createHttpClient(options);
    }

    /** Sends the request. Fails with a message that completes a sentence about the issuer. */
    Future<byte[]> send() {
        var context = (ContextInternal) vertx.getOrCreateContext();
        return NameLookups.resolve(context, server(), timeout).compose(this::send);
    }

    private SocketAddress server() {
        int port = address.getPort();
        if (port < 0) {
            port = address.getScheme().equalsIgnoreCase("https") ? HTTPS_PORT : HTTP_PORT;
        }
        return SocketAddress.inetSocketAddress(port, address.getHost());
    }

    private Future<byte[]> send(SocketAddress server) {
        Promise<byte[]> result = Promise.promise();
        var options =
                new RequestOptions()
                        .setMethod(HttpMethod.GET)
                        .setServer(server)
                        .setAbsoluteURI(address.toString())
                        .putHeader("Accept", "application/jwk-set+json, application/json");
        Future<HttpClientRequest> request = request(options);
        long timer =
                vertx.setTimer(
                        timeout.toMillis(),
                        id -> {
                            result.tryFail(
                                    "it did not answer within " + timeout.toMillis() + " ms");
                            request.onSuccess(HttpClientRequest::reset);
                        });
        request.onSuccess(
                        ready -> {
                            // Before it is sent, because a handler that is set when the answer
                            // has begun to arrive, on another thread, misses what came first.
                            ready.response()
                                    .onSuccess(response -> read(response, result))
                                    .onFailure(result::tryFail);
                            ready.end();
                        })
                .onFailure(result::tryFail);
        return result.future().onComplete(done -> vertx.cancelTimer(timer));
    }

    private Future<HttpClientRequest> request(RequestOptions options) {
        try {
            return client.request(options);
        } catch (IllegalStateException e) {
            return Future.failedFuture("the program is being stopped");
        }
    }

    private static void read(HttpClientResponse response, Promise<byte[]> result) {
        // Before everything else: a reset calls it, and without it is logged as an error.
        response.exceptionHandler(result::tryFail);
        if (response.statusCode() != OK) {
            result.tryFail("it answered with status " + response.statusCode());
            response.request().reset();
            return;
        }
        Buffer body = Buffer.buffer();
        response.endHandler(end -> result.tryComplete(body.getBytes()));
        response.handler(
                part -> {
                    if (body.length() + part.length() > MAX_BYTES) {
                        result.tryFail("its answer is longer than " + MAX_BYTES + " bytes");
                        response.request().reset();
                    } else {
                        body.appendBuffer(part);
                    }
                });
    }
}
