package dev.parley.guarantees;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SharedResource;
import dev.parley.testsupport.TestRoom;
import java.io.Closeable;

/**
 * A pod in memory and two pods on one Redis, for tests in which only readers fail. All keep {@link
 * #HISTORY} messages of a room; each pod's copy of the log has only the last 16, so that both the
 * copy and the history are read.
 */
final class MemoryAndRedisPods implements Closeable {

    /** The number of messages that are kept of a room. */
    static final int HISTORY = 60;

    /** The broker of a pod. */
    enum Kind {
        MEMORY,
        REDIS
    }

    /** Passes the pods to the constructors of test classes. */
    static final class Extension extends SharedResource<MemoryAndRedisPods> {

        Extension() {
            super(MemoryAndRedisPods.class, MemoryAndRedisPods::new);
        }
    }

    private final RedisServer redis = RedisServer.start();
    private final ParleyProcess memory;
    private final ParleyProcess onRedis;
    private final ParleyProcess second;
    private final Http memoryHttp;
    private final Http onRedisHttp;

    private MemoryAndRedisPods() {
        var pod =
                Pods.withQuickReconnect()
                        .config("parley.history.size", Integer.toString(HISTORY))
                        .config("parley.log.messages", "16");
        memory = pod.start();
        pod.redis(redis.uri());
        onRedis = pod.start();
        second = pod.start();
        Pods.awaitPublishing(memory);
        Pods.awaitPublishing(onRedis);
        Pods.awaitPublishing(second);
        memoryHttp = new Http(memory.uri());
        onRedisHttp = new Http(onRedis.uri());
    }

    ParleyProcess pod(Kind kind) {
        return kind == Kind.MEMORY ? memory : onRedis;
    }

    Http http(Kind kind) {
        return kind == Kind.MEMORY ? memoryHttp : onRedisHttp;
    }

    TestRoom newRoom(Kind kind) {
        return TestRoom.newAt(pod(kind), http(kind));
    }

    /** The other pod on Redis. */
    ParleyProcess second() {
        return second;
    }

    RedisServer redis() {
        return redis;
    }

    @Override
    public void close() {
        memory.close();
        onRedis.close();
        second.close();
        redis.close();
    }
}
