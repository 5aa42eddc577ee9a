package dev.parley.guarantees;

import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SharedResource;
import dev.parley.testsupport.TcpProxy;
import java.io.Closeable;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Two pods on a Redis server that writes each command to disk. The first pod connects through a
 * proxy that can fail, and gives up on a silent connection after two seconds. The other one
 * connects directly and has long deadlines, so its subscription lasts until Redis itself ends it.
 */
final class RedisFaultSetup implements Closeable {

    /** Passes the setup to the constructors of test classes. */
    static final class Extension extends SharedResource<RedisFaultSetup> {

        Extension() {
            super(RedisFaultSetup.class, RedisFaultSetup::new);
        }
    }

    private static final AtomicInteger ROOMS = new AtomicInteger();

    private final RedisServer redis = RedisServer.startWithPersistence();
    private final TcpProxy network = TcpProxy.to(redis.port());
    private final ParleyProcess pod;
    private final ParleyProcess otherPod;

    private RedisFaultSetup() {
        pod =
                Pods.quickToDetectFaults()
                        .config("parley.log.messages", "16")
                        .redis(network.uri("redis"))
                        .start();
        otherPod =
                Pods.withQuickReconnect()
                        .config("parley.redis.max-backoff", "200ms")
                        .redis(redis.uri())
                        .start();
    }

    RedisServer redis() {
        return redis;
    }

    TcpProxy network() {
        return network;
    }

    ParleyProcess pod() {
        return pod;
    }

    ParleyProcess otherPod() {
        return otherPod;
    }

    String newRoom() {
        return "room" + ROOMS.incrementAndGet();
    }

    /** Waits until both pods can publish and their subscriptions deliver. */
    void awaitHealth() {
        for (ParleyProcess each : List.of(pod, otherPod)) {
            Pods.awaitPublishing(each);
            Pods.awaitDelivery(each, redis);
        }
    }

    @Override
    public void close() {
        pod.close();
        otherPod.close();
        network.close();
        redis.close();
    }
}
