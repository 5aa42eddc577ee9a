package dev.parley.guarantees;

import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SharedResource;
import dev.parley.testsupport.TcpProxy;
import java.io.Closeable;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Two pods and a Redis that writes all to disk. The first pod reaches it by a network that can
 * fail, and is quick to give up. The other one is beside Redis and patient: what it has once heard
 * live, it goes on hearing.
 */
final class FaultyRedis implements Closeable {

    /** Hands it to the constructors of test classes. */
    static final class Extension extends SharedResource<FaultyRedis> {

        Extension() {
            super(FaultyRedis.class, FaultyRedis::new);
        }
    }

    private static final AtomicInteger ROOMS = new AtomicInteger();

    private final RedisServer redis = RedisServer.startWithPersistence();
    private final TcpProxy network = TcpProxy.to(redis.port());
    private final ParleyProcess pod;
    private final ParleyProcess otherPod;

    private FaultyRedis() {
        pod = Pods.quick().config("parley.log.messages", "16").redis(network.uri("redis")).start();
        otherPod =
                Pods.steady()
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

    /** Waits until both pods publish and hear. */
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
