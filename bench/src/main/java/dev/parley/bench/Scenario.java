package dev.parley.bench;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;

/** The scenarios: what the load client does to a server. */
enum Scenario {
    PACED_1000("1,000 readers, 50 messages/s", "paced", Table.FAN_OUT, s -> paced(s, 1_000, 50)),
    PACED_10000("10,000 readers, 5 messages/s", "paced", Table.FAN_OUT, s -> paced(s, 10_000, 5)),
    FLAT_OUT(
            "1,000 readers, 2,000 messages flat out",
            "flat-out",
            Table.FAN_OUT,
            s ->
                    List.of(
                            readers(s, 1_000),
                            "messages=2000",
                            warmUp(s),
                            traced(s, 200),
                            "traceRate=0")),
    PUBLISH_1("1 publisher, no readers", "publish", Table.PUBLISH, s -> publish(s, 1)),
    PUBLISH_8("8 publishers, no readers", "publish", Table.PUBLISH, s -> publish(s, 8)),
    PUBLISH_64("64 publishers, no readers", "publish", Table.PUBLISH, s -> publish(s, 64)),
    IDLE("19,000 idle readers", "idle", Table.MEMORY, s -> connections(s, 19_000)),
    SLOW_NONE("180 readers, 50 messages/s of 16 kB", "slow", Table.FAN_OUT, s -> slow(s, 0)),
    SLOW_TENTH("the same beside 20 who do not read", "slow", Table.FAN_OUT, s -> slow(s, 20)),
    READERS_100("100 readers, 500 messages/s", "growth", Table.FAN_OUT, s -> paced(s, 100, 500)),
    RATE_5("1,000 readers, 5 messages/s", "growth", Table.FAN_OUT, s -> paced(s, 1_000, 5)),
    RATE_200("1,000 readers, 200 messages/s", "growth", Table.FAN_OUT, s -> paced(s, 1_000, 200)),
    RATE_1000(
            "1,000 readers, 1,000 messages/s",
            "growth",
            Table.FAN_OUT,
            s -> paced(s, 1_000, 1_000)),
    ROOMS_16(
            "960 readers in 16 rooms, 50 messages/s in each",
            "growth",
            Table.FAN_OUT,
            s -> with(paced(s, 960, 16 * 50), "rooms=16")),
    JSON_1000(
            "1,000 readers, 50 messages/s as JSON",
            "rooms",
            Table.FAN_OUT,
            s -> with(paced(s, 1_000, 50), "format=json")),
    STREAMS_OF_5_ROOMS(
            "the same, of 5 rooms on each stream",
            "rooms",
            Table.FAN_OUT,
            s -> with(paced(s, 1_000, 50), "format=json", "rooms=5", "roomsPerStream=5")),
    STREAMS_OF_OWN_ROOMS(
            "the same, one of the 5 being each reader's own",
            "rooms",
            Table.FAN_OUT,
            s ->
                    with(
                            paced(s, 1_000, 50),
                            "format=json",
                            "rooms=4",
                            "roomsPerStream=4",
                            "ownRoom=true")),
    ROOMS_10000(
            "10,000 idle readers, each in a room of its own",
            "rooms",
            Table.MEMORY,
            s -> with(connections(s, 10_000), "rooms=" + 10_000 / s.scale())) {
        // Closes the rooms of the warm-up before memory is first read.
        @Override
        List<String> serverSettings() {
            return LINGER_SHORTLY;
        }
    },
    PODS_3("3 pods, 300 rooms, each read at one pod", 3, 0),
    READING_PODS_3("the same, published to at a fourth pod", 4, 1),
    READING_PODS_6("the same with 6 pods, and a seventh", 7, 1),
    ROOMS_RATE(
            "10,000 open rooms, 100 more opened and closed a second",
            "rooms",
            Table.OPENING,
            Scenario::opening) {
        // Closes rooms as fast as they are opened, not a minute later.
        @Override
        List<String> serverSettings() {
            return LINGER_SHORTLY;
        }
    },
    AS_IT_COMES(
            "19,000 idle readers, no collection forced",
            "as-it-comes",
            Table.AS_IT_COMES,
            s -> connections(s, 19_000)),
    COLD_PACED(
            "1,000 readers, 50 messages/s from the start",
            "cold",
            Table.COLD,
            s -> with(cold(s), readers(s, 1_000), "rate=50")),
    COLD_PUBLISH(
            "500 publishes/s of 8 connections from the start",
            "cold",
            Table.COLD,
            s -> with(cold(s), "rate=500", "window=8")),
    STORM_WARM(
            "10,000 readers connect at once",
            "storm",
            Table.STORM,
            s -> with(connections(s, 10_000), "earlierReaders=" + Math.max(1, 500 / s.scale()))),
    STORM_COLD(
            "the same, to a server just started",
            "storm",
            Table.STORM,
            s -> connections(s, 10_000));

    static final String DEFAULT = "paced,flat-out,publish,idle,slow,storm";

    /** Those with several rooms, or another format than plain text, which only a Parley has. */
    private static final Set<Scenario> PARLEY_ONLY =
            Set.of(
                    ROOMS_16,
                    JSON_1000,
                    STREAMS_OF_5_ROOMS,
                    STREAMS_OF_OWN_ROOMS,
                    ROOMS_10000,
                    ROOMS_RATE);

    /** A room is closed a second after its last reader has left, not a minute. */
    private static final List<String> LINGER_SHORTLY = List.of("-Dparley.log.linger=1S");

    private final String title;
    private final String group;
    private final Table table;

    @SuppressWarnings("ImmutableEnumChecker") // The functions have no state.
    private final Function<Settings, List<String>> load;

    private final int pods;
    private final int publishingPods;

    Scenario(String title, String group, Table table, Function<Settings, List<String>> load) {
        this(title, group, table, load, 1, 0);
    }

    /** A scenario of several pods. */
    Scenario(String title, int pods, int publishingPods) {
        this(title, "rooms", Table.PODS, s -> roomsOfPods(s, publishingPods), pods, publishingPods);
    }

    Scenario(
            String title,
            String group,
            Table table,
            Function<Settings, List<String>> load,
            int pods,
            int publishingPods) {
        this.title = title;
        this.group = group;
        this.table = table;
        this.load = load;
        this.pods = pods;
        this.publishingPods = publishingPods;
    }

    /** The load client's options, see {@link dev.parley.bench.load.LoadOptions}. */
    List<String> load(Settings settings) {
        return load.apply(settings);
    }

    /** How many servers of a kind are started; they share a Redis. */
    int pods() {
        return pods;
    }

    /** How many of the servers are published to and not read; the last ones. */
    int publishingPods() {
        return publishingPods;
    }

    /** Options of the program, for servers that are a Parley. */
    List<String> serverSettings() {
        return List.of();
    }

    /** Whether it can be played on a server. */
    boolean isFor(MeasuredServer server) {
        if (PARLEY_ONLY.contains(this)) {
            return server.isParley();
        }
        if (pods > 1) {
            return server.isParleyOnRedis()
                    || (server == MeasuredServer.FLOOR && publishingPods > 0);
        }
        return server != MeasuredServer.FLOOR
                || group.equals(PACED_1000.group)
                || group.equals(FLAT_OUT.group);
    }

    String title() {
        return title;
    }

    /** The table in which the scenario's figures are shown. */
    Table table() {
        return table;
    }

    /** The scenario's name on the command line. */
    String key() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** The scenario of this name, or all scenarios of the group of this name. */
    static Stream<Scenario> named(String name) {
        List<Scenario> found =
                Arrays.stream(values())
                        .filter(s -> s.group.equals(name) || s.key().equals(name))
                        .toList();
        if (found.isEmpty()) {
            throw new IllegalArgumentException("bench.scenarios: no scenario is called " + name);
        }
        return found.stream();
    }

    private static List<String> paced(Settings s, int readers, int rate) {
        return List.of(
                readers(s, readers),
                "rate=" + rate,
                "seconds=" + s.seconds(),
                warmUp(s),
                // strace slows the server down. At the full rate it would then put several messages
                // into one write, which it does not do without strace.
                traced(s, Math.max(2, rate / 10)),
                "traceRate=" + Math.max(1, rate / 10));
    }

    /** Readers that stay connected; if the mode publishes, it has one publisher. */
    private static List<String> connections(Settings s, int readers) {
        return List.of(readers(s, readers), "window=1");
    }

    /** Measures from the server's start on, and once more when it is warm. */
    private static List<String> cold(Settings s) {
        return List.of(
                "coldSeconds=" + Math.max(1, 60 / s.scale()), "seconds=" + s.seconds(), warmUp(s));
    }

    private static List<String> opening(Settings s) {
        int rooms = Math.max(1, 10_000 / s.scale());
        return List.of(
                "readers=" + rooms,
                "rooms=" + rooms,
                "window=" + Math.min(64, rooms),
                "rate=50",
                "opening=" + Math.max(1, 100 / s.scale()),
                "seconds=" + s.seconds(),
                warmUp(s));
    }

    private static List<String> roomsOfPods(Settings s, int publishingPods) {
        // A publisher a room, so that all rooms get messages.
        int rooms = Math.max(6, 300 / s.scale());
        return List.of(
                "publishingPods=" + publishingPods,
                "readers=" + rooms,
                "rooms=" + rooms,
                "window=" + rooms,
                "rate=1000",
                "seconds=" + s.seconds(),
                warmUp(s));
    }

    private static List<String> publish(Settings s, int publishers) {
        return List.of("window=" + publishers, "seconds=" + s.seconds(), warmUp(s));
    }

    /** Sends more to each slow reader than the kernel queues for it, which is 4 MB by default. */
    private static List<String> slow(Settings s, int slowReaders) {
        return List.of(
                readers(s, 180),
                "slowReaders=" + slowReaders / s.scale(),
                "rate=50",
                "seconds=" + (s.seconds() + 3),
                warmUp(s),
                "size=16000",
                "collect=true");
    }

    private static List<String> with(List<String> load, String... more) {
        return Stream.concat(load.stream(), Arrays.stream(more)).toList();
    }

    private static String warmUp(Settings s) {
        return "warmUpSeconds=" + s.warmUp();
    }

    private static String readers(Settings s, int count) {
        return "readers=" + Math.max(1, count / s.scale());
    }

    private static String traced(Settings s, int messages) {
        return "traceMessages=" + (s.trace() ? messages : 0);
    }
}
