package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Timeouts;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** On exchanges of a real server and client. */
class ExchangeEndTest {

    @AutoClose("close")
    private final Vertx vertx = Vertx.vertx();

    private final CompletableFuture<RoutingContext> begun = new CompletableFuture<>();
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private final AtomicInteger runs = new AtomicInteger();

    @ParameterizedTest
    @EnumSource(
            value = HttpVersion.class,
            names = {"HTTP_1_1", "HTTP_2"})
    void actionOfAnExchangeWhoseClientIsGone_runsAtOnce(HttpVersion version) {
        HttpClientRequest request = send(version);
        await(begun);
        request.reset();
        await(ended);

        await(onLoop(() -> ExchangeEnd.then(await(begun), runs::incrementAndGet)));

        assertThat(runs).hasValue(1);
    }

    @ParameterizedTest
    @EnumSource(
            value = HttpVersion.class,
            names = {"HTTP_1_1", "HTTP_2"})
    void actionOfAnExchangeThatIsAnswered_runsOnce(HttpVersion version) {
        HttpClientRequest request = send(version);
        RoutingContext exchange = await(begun);

        await(onLoop(() -> ExchangeEnd.then(exchange, runs::incrementAndGet)));
        assertThat(runs).hasValue(0);
        await(onLoop(exchange::end));
        await(request.response().toCompletionStage().toCompletableFuture());
        request.connection().close();
        await(ended);

        assertThat(runs).hasValue(1);
    }

    /** So does the framework if it cannot write a part of an answer. */
    @ParameterizedTest
    @EnumSource(
            value = HttpVersion.class,
            names = {"HTTP_1_1", "HTTP_2"})
    void actionOfAnExchangeThatTheServerResets_runsOnce(HttpVersion version) {
        send(version);
        RoutingContext exchange = await(begun);
        var isRun = new CompletableFuture<Void>();

        await(
                onLoop(
                        () -> {
                            ExchangeEnd.then(
                                    exchange,
                                    () -> {
                                        runs.incrementAndGet();
                                        isRun.complete(null);
                                    });
                            exchange.response().setChunked(true).write("part");
                            exchange.response().reset();
                        }));
        await(isRun);
        // By then, whatever the close of the connection calls has been called.
        await(onLoop(() -> {}));

        assertThat(runs).hasValue(1);
    }

    private HttpClientRequest send(HttpVersion version) {
        Router router = Router.router(vertx);
        router.route()
                .handler(
                        exchange -> {
                            // Called last: the handlers are called from the last one to the first.
                            exchange.addEndHandler(end -> ended.complete(null));
                            begun.complete(exchange);
                        });
        HttpServer server =
                await(
                        vertx.createHttpServer()
                                .requestHandler(router)
                                .listen(0)
                                .toCompletionStage()
                                .toCompletableFuture());
        HttpClient client =
                vertx.createHttpClient(
                        new HttpClientOptions()
                                .setProtocolVersion(version)
                                .setHttp2ClearTextUpgrade(false));
        HttpClientRequest request =
                await(
                        client.request(HttpMethod.GET, server.actualPort(), "localhost", "/")
                                .toCompletionStage()
                                .toCompletableFuture());
        request.end();
        return request;
    }

    /** Runs an action on the event loop of the server's connection. */
    private CompletableFuture<Void> onLoop(Runnable action) {
        return CompletableFuture.runAsync(
                action, PipelinedRequests.pipeline(await(begun).request()).channel().eventLoop());
    }

    private static <T> T await(CompletableFuture<T> future) {
        return future.orTimeout(Timeouts.millis(), TimeUnit.MILLISECONDS).join();
    }
}
