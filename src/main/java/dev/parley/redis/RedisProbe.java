package dev.parley.redis;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Checks that messages flow: the pod sends itself a message through Redis every few seconds, and
 * expects to receive it. That detects failures that no socket reports, such as a subscription that
 * is connected but silent; the probe then ends its connection.
 */
public final class RedisProbe {

    private static final Pattern SENT = Pattern.compile("-?[0-9]{1,18}");

    private final Vertx vertx;
    private final RedisConfig config;
    private final RedisCommands commands;
    private final RedisLink subscription;
    private final Timer roundTrip;
    private final String channel;

    private volatile long subscribedNanos;
    private volatile long heardNanos;
    private volatile boolean heardSinceSubscribed;
    private volatile long timer = -1;

    /**
     * @param channel a channel of this pod only
     */
    public RedisProbe(
            Vertx vertx,
            RedisConfig config,
            String channel,
            RedisCommands commands,
            RedisLink subscription,
            MeterRegistry meters) {
        this.vertx = vertx;
        this.config = config;
        this.commands = commands;
        this.subscription = subscription;
        this.channel = channel;
        this.roundTrip =
                Timer.builder("parley.redis.roundtrip")
                        .description("Time for a message of the pod to itself through Redis")
                        .serviceLevelObjectives(
                                Duration.ofMillis(1),
                                Duration.ofMillis(5),
                                Duration.ofMillis(25),
                                Duration.ofMillis(100),
                                Duration.ofMillis(500),
                                Duration.ofSeconds(2))
                        .register(meters);
    }

    public String channel() {
        return channel;
    }

    public void start() {
        timer = vertx.setPeriodic(config.probeInterval().toMillis(), id -> tick());
    }

    public void stop() {
        vertx.cancelTimer(timer);
    }

    /** The subscription was made again: messages received before say nothing about it. */
    public void onSubscribed() {
        heardSinceSubscribed = false;
        subscribedNanos = System.nanoTime();
        send();
    }

    /** A message arrived on the probe's channel. */
    public void onMessage(String payload) {
        if (!SENT.matcher(payload).matches()) {
            return;
        }
        long now = System.nanoTime();
        heardNanos = now;
        heardSinceSubscribed = true;
        roundTrip.record(Duration.ofNanos(now - Long.parseLong(payload)));
    }

    /** Tells an operator why messages do not flow; empty while they do. */
    public Optional<String> problem() {
        if (!heardSinceSubscribed) {
            return Optional.of("subscribed to Redis, but nothing heard yet");
        }
        return isOverdue()
                ? Optional.of("nothing heard from Redis for " + config.probeTimeout())
                : Optional.empty();
    }

    private void tick() {
        if (subscription.connection().isEmpty()) {
            return;
        }
        if (isOverdue()) {
            subscription.renew("probe not heard for " + config.probeTimeout());
            return;
        }
        send();
    }

    private boolean isOverdue() {
        long last = heardSinceSubscribed ? heardNanos : subscribedNanos;
        return System.nanoTime() - last > config.probeTimeout().toNanos();
    }

    private void send() {
        commands.publish(channel, Long.toString(System.nanoTime()));
    }
}
