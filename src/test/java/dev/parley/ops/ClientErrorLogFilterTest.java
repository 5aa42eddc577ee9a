package dev.parley.ops;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.util.concurrent.DefaultPromise;
import io.vertx.core.net.impl.ConnectionBase;
import java.io.IOException;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import org.jboss.resteasy.reactive.server.handlers.PublisherResponseHandler;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ClientErrorLogFilterTest {

    @Test
    void errorOfAClient_isNotLogged() throws ClassNotFoundException {
        Class<?> http2 = Class.forName("io.vertx.core.http.impl.Http2ConnectionBase");

        assertThat(isLogged(PublisherResponseHandler.class, new IOException("reset by peer")))
                .isFalse();
        assertThat(isLogged(PublisherResponseHandler.class, streamClosed())).isFalse();
        assertThat(isLogged(ConnectionBase.class, null)).isFalse();
        assertThat(isLogged(DefaultPromise.class, thrownIn(http2))).isFalse();
        assertThat(isLogged(ServerBootstrap.class, new IllegalStateException())).isFalse();
    }

    @Test
    void errorOfTheServer_isLogged() {
        assertThat(isLogged(PublisherResponseHandler.class, new IllegalStateException())).isTrue();
        assertThat(isLogged(DefaultPromise.class, new IllegalStateException())).isTrue();
        assertThat(isLogged(DefaultPromise.class, null)).isTrue();
        assertThat(isLogged(ServerBootstrap.class, new IOException("no more files"))).isTrue();
        assertThat(isLogged(getClass(), new IOException("disk full"))).isTrue();
    }

    private static Throwable streamClosed() {
        return Http2Exception.streamError(1, Http2Error.CANCEL, "stream closed");
    }

    private static Throwable thrownIn(Class<?> place) {
        var thrown = new NullPointerException();
        thrown.setStackTrace(
                new StackTraceElement[] {
                    new StackTraceElement(place.getName(), "anyMethod", "AnyFile.java", 1)
                });
        return thrown;
    }

    private static boolean isLogged(Class<?> source, @Nullable Throwable thrown) {
        var event = new LogRecord(Level.SEVERE, "something happened");
        event.setLoggerName(source.getName());
        event.setThrown(thrown);
        return new ClientErrorLogFilter().isLoggable(event);
    }
}
