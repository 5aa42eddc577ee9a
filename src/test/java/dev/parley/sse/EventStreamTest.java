package dev.parley.sse;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Timeouts;
import io.smallrye.mutiny.helpers.test.AssertSubscriber;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.impl.ContextInternal;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The opening of a stream, on connections of a real server and client. */
class EventStreamTest {

    @AutoClose("close")
    private final Vertx vertx = Vertx.vertx();

    @ParameterizedTest
    @EnumSource(
            value = HttpVersion.class,
            names = {"HTTP_1_1", "HTTP_2"})
    void streamThatCannotBeOpened_isCut(HttpVersion version) {
        Future<Void> read =
                vertx.createHttpServer()
                        .requestHandler(EventStreamTest::answerWithoutNativeMemory)
                        .listen(0)
                        .compose(server -> read(version, server.actualPort()));

        assertThat(read.toCompletionStage().toCompletableFuture())
                .failsWithin(Timeouts.millis(), TimeUnit.MILLISECONDS);
    }

    /** Answers as the framework does, on a pod that has no memory for the first bytes. */
    private static void answerWithoutNativeMemory(HttpServerRequest request) {
        var loop = new NettyEventLoop(ContextInternal.current().nettyEventLoop());
        var stream =
                new EventStream(
                        request,
                        loop,
                        connection -> {
                            throw new OutOfMemoryError("direct buffer");
                        });
        request.response()
                .setChunked(true)
                .putHeader(HttpHeaders.CONTENT_TYPE, StreamHeaders.CONTENT_TYPE)
                .write(Buffer.buffer());
        stream.subscribe(AssertSubscriber.create());
    }

    /** Reads the answer to its end. */
    private Future<Void> read(HttpVersion version, int port) {
        HttpClient client =
                vertx.createHttpClient(
                        new HttpClientOptions()
                                .setProtocolVersion(version)
                                .setHttp2ClearTextUpgrade(false));
        return client.request(HttpMethod.GET, port, "localhost", "/")
                .compose(HttpClientRequest::send)
                .compose(HttpClientResponse::end);
    }
}
