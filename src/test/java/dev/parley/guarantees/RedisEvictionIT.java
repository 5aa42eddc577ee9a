package dev.parley.guarantees;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.Timeouts;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A Redis that may delete keys, does so, or loses them in another way: the log of a pod says so, in
 * a number of lines that does not depend on the number of rooms.
 */
class RedisEvictionIT {

    private static final String MAY_EVICT = "Redis deletes keys when its memory is full";
    private static final String GONE = "the history is gone before its time";

    private static final Pattern ROOMS = Pattern.compile("([0-9]+) rooms, ");

    @AutoClose private RedisServer redis;
    private final List<SseReader> readers = new ArrayList<>();
    private ParleyProcess pod;
    private Metrics metrics;

    @BeforeEach
    void start() {
        redis = RedisServer.start("maxmemory 64mb");
        pod =
                Pods.withQuickReconnect()
                        .config("parley.redis.probe-interval", "100MS")
                        .config("parley.redis.min-backoff", "10MS")
                        .config("parley.log.audit", "200MS")
                        .redis(redis.uri())
                        .start()
                        .awaitReady();
        metrics = new Metrics(pod);
    }

    @AfterEach
    void stop() {
        readers.forEach(SseReader::close);
        pod.close();
    }

    @Test
    void policyThatDeletesKeys_isNamedOnce_andAgainWhenItChanges() {
        assertThat(pod.log()).doesNotContain(MAY_EVICT);
        assertThat(metrics.value("parley_redis_may_evict")).isZero();

        setPolicy("allkeys-lru");
        pod.awaitLog(MAY_EVICT + " (maxmemory-policy allkeys-lru, maxmemory 67108864)");
        metrics.awaitValue("parley_redis_may_evict", 1);
        reconnect();
        reconnect();
        assertThat(lines(MAY_EVICT)).hasSize(1).allMatch(line -> line.contains(" WARN "));
        assertThat(lines(MAY_EVICT)).allMatch(line -> line.contains("noeviction"));

        // The keys of Parley expire, so they are among those that this policy deletes.
        setPolicy("volatile-ttl");
        pod.awaitLog(MAY_EVICT + " (maxmemory-policy volatile-ttl");

        setPolicy("noeviction");
        pod.awaitLog("Redis no longer deletes keys");
        metrics.awaitValue("parley_redis_may_evict", 0);
        assertThat(lines(MAY_EVICT)).hasSize(2);
    }

    @Test
    void policyThatDeletesKeys_doesNoHarmWithoutALimit() {
        redis.command("CONFIG", "SET", "maxmemory", "0");
        setPolicy("allkeys-lru");
        reconnect();
        awaitProbes(2);
        assertThat(pod.log()).doesNotContain(MAY_EVICT);

        redis.command("CONFIG", "SET", "maxmemory", "64mb");

        pod.awaitLog(MAY_EVICT + " (maxmemory-policy allkeys-lru, maxmemory 67108864)");
    }

    @Test
    void evictedKeys_areCounted_andNamedOnce() {
        setPolicy("allkeys-lru");
        pod.awaitLog(MAY_EVICT);

        for (int i = 0; evictedKeys() == 0; i++) {
            redis.command("SET", "filler-" + i, "x".repeat(1_000_000));
        }

        pod.awaitLog("Redis has evicted keys (");
        metrics.awaitValue("parley_redis_evicted_total", (double) evictedKeys());
        assertThat(lines("Redis has evicted keys")).hasSize(1);
        assertThat(lines("Redis has evicted keys").get(0))
                .contains(" WARN ", "PARLEY_HISTORY_BYTES", "maxmemory-policy noeviction");
    }

    @Test
    void flushall_isOneLine_howeverManyRoomsAreOpen_andEachReaderGetsItsGap() {
        openRooms(20);

        redis.command("FLUSHALL");

        metrics.awaitValue("parley_histories_lost_total", 20);
        pod.awaitLog(GONE);
        assertThat(lines(GONE)).hasSizeLessThan(3);
        assertThat(lines("WARN")).isEqualTo(lines(GONE));
        for (int i = 0; i < 20; i++) {
            Pods.publishUntilConfirmed(pod, "room-" + i, "after");
            readers.get(i).awaitData("after");
            assertThat(readers.get(i).events("gap")).as("gaps in room-%d", i).hasSize(1);
        }
        assertThat(metrics.value("parley_histories_lost_total")).isEqualTo(20);
    }

    /** The broker notices a log that is lost alone, and the pod's copy of the room the others. */
    @Test
    void roomsThatLostTheirLog_andRoomsThatLostAll_areOneLine() {
        openRooms(20);

        List<String> command =
                new ArrayList<>(List.of("EVAL", "redis.call('DEL', unpack(KEYS))", "30"));
        for (int i = 0; i < 20; i++) {
            command.add("parley:{room-%d}:log".formatted(i));
            if (i < 10) {
                command.add("parley:{room-%d}:head".formatted(i));
            }
        }
        redis.command(command.toArray(String[]::new));

        metrics.awaitValue("parley_histories_lost_total", 20);
        Timeouts.await("a line for more rooms than each of them noticed")
                .until(() -> lines(GONE).stream().anyMatch(line -> rooms(line) > 10));
    }

    private static int rooms(String line) {
        Matcher count = ROOMS.matcher(line);
        return count.find() ? Integer.parseInt(count.group(1)) : 1;
    }

    @Test
    void restartWithoutData_isOneLine_too() {
        openRooms(20);

        redis.restartEmpty();

        metrics.awaitValue("parley_histories_lost_total", 20);
        pod.awaitLog(GONE);
        assertThat(lines(GONE)).hasSizeLessThan(3);
    }

    @Test
    void logOfOneRoom_thatIsDeletedOrEvicted_isNamed() {
        openRooms(2);

        redis.command("DEL", "parley:{room-1}:log");

        pod.awaitLog("room room-1: " + GONE);
        Pods.publishUntilConfirmed(pod, "room-1", "after");
        readers.get(1).awaitData("after");
        assertThat(metrics.value("parley_histories_lost_total")).isOne();
        assertThat(new Http(pod.uri()).get("/rooms/room-1/messages").body())
                .contains("after")
                .doesNotContain("before");
    }

    private void openRooms(int count) {
        for (int i = 0; i < count; i++) {
            readers.add(Pods.open(pod, "room-" + i));
            Pods.publishUntilConfirmed(pod, "room-" + i, "before");
            readers.get(i).awaitData("before");
        }
    }

    private void setPolicy(String policy) {
        redis.command("CONFIG", "SET", "maxmemory-policy", policy);
    }

    /** Has the pod connect again, which asks Redis for its policy. */
    private void reconnect() {
        int before = lines("Redis subscription connection is up").size();
        redis.command("CLIENT", "KILL", "TYPE", "pubsub");
        Timeouts.await("new subscription")
                .until(() -> lines("Redis subscription connection is up").size() > before);
    }

    /**
     * Waits for messages of the probe. The pod asks for the policy before it sends the first one on
     * a new connection, and has the answer when the second one arrives.
     */
    private void awaitProbes(int count) {
        String received = "parley_redis_roundtrip_seconds_count";
        double before = metrics.value(received);
        Timeouts.await(count + " probes").until(() -> metrics.value(received) >= before + count);
    }

    private long evictedKeys() {
        return redis.command("INFO", "stats")
                .text()
                .lines()
                .filter(line -> line.startsWith("evicted_keys:"))
                .mapToLong(line -> Long.parseLong(line.substring(line.indexOf(':') + 1)))
                .sum();
    }

    private List<String> lines(String part) {
        return pod.log().lines().filter(line -> line.contains(part)).toList();
    }
}
