package dev.parley.guarantees;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SharedResource;
import dev.parley.testsupport.TestRoom;
import java.io.Closeable;

/**
 * A pod in memory and two on one Redis, for tests in which nothing fails but readers. All keep as
 * many messages of a room, of which a pod's own log has only the last few.
 */
final class PodsOfBothKinds implements Closeable {

    /** Messages that are retained. */
    static final int HISTORY = 60;

    enum Kind {
        MEMORY,
        REDIS
    }

    /** Hands the pods to the constructors of test classes. */
    static final class Extension extends SharedResource<PodsOfBothKinds> {

        Extension() {
            super(PodsOfBothKinds.class, PodsOfBothKinds::new);
        }
    }

    private final RedisServer redis = RedisServer.start();
    private final ParleyProcess memory;
    private final ParleyProcess onRedis;
    private final ParleyProcess second;
    private final Http memoryHttp;
    private final Http onRedisHttp;

    private PodsOfBothKinds() {
        var pod =
                Pods.steady()
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
