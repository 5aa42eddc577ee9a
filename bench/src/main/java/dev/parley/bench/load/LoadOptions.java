package dev.parley.bench.load;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Options of the load client, each written {@code key=value} on its command line.
 *
 * @param mode {@code fanout}, {@code publish}, {@code idle}, {@code as-it-comes}, {@code cold},
 *     {@code storm} or {@code opening}
 * @param ports where the server listens on 127.0.0.1; several ones are those of its pods
 * @param pids the server's processes, in the order of the ports; their children count too
 * @param publishingPods number of pods, the last ones, to which messages are published and at which
 *     no reader connects; 0 if every pod has both
 * @param redisPid process of the Redis that the server uses, 0 if none
 * @param redisPort where that Redis listens, 0 if none
 * @param jvm whether the server is a JVM, in which garbage collections can be requested
 * @param startMillis how long the server took until it was ready
 * @param eventsPath path of the event stream
 * @param sendPath path to publish to
 * @param rooms number of rooms among which readers and publishers are divided; 1 means the server's
 *     default room
 * @param roomsPerStream number of rooms that each reader reads
 * @param ownRoom whether each reader reads one more room, its own, which gets no messages
 * @param format of the streams
 * @param readers number of event streams to open
 * @param earlierReaders number of event streams that are opened and left before a storm
 * @param slowReaders number of further event streams that are opened and never read
 * @param opening rooms that are opened and closed a second, beside those of the readers
 * @param rate messages a second, 0 for as fast as they are acknowledged
 * @param messages how many to publish while measuring, 0 if {@code seconds} decides
 * @param coldSeconds how long to publish before the warm-up, which is measured too
 * @param seconds how long to publish while measuring
 * @param warmUpSeconds how long to publish before that
 * @param size bytes of a message
 * @param window number of publishers, each with at most one unanswered request
 * @param collect whether to collect garbage before memory is read, if the server is a JVM
 * @param traceMessages how many further messages to publish under strace, 0 for none
 * @param traceRate their rate, 0 for as fast as they are acknowledged
 */
public record LoadOptions(
        String mode,
        List<Integer> ports,
        List<Long> pids,
        int publishingPods,
        long redisPid,
        int redisPort,
        boolean jvm,
        long startMillis,
        String eventsPath,
        String sendPath,
        int rooms,
        int roomsPerStream,
        boolean ownRoom,
        String format,
        int readers,
        int earlierReaders,
        int slowReaders,
        int opening,
        int rate,
        int messages,
        int coldSeconds,
        int seconds,
        int warmUpSeconds,
        int size,
        int window,
        boolean collect,
        int traceMessages,
        int traceRate) {

    private static final Map<String, String> DEFAULTS =
            Map.ofEntries(
                    Map.entry("publishingPods", "0"),
                    Map.entry("redisPid", "0"),
                    Map.entry("redisPort", "0"),
                    Map.entry("jvm", "false"),
                    Map.entry("startMillis", "0"),
                    Map.entry("eventsPath", "/events"),
                    Map.entry("sendPath", "/send"),
                    Map.entry("rooms", "1"),
                    Map.entry("roomsPerStream", "1"),
                    Map.entry("ownRoom", "false"),
                    Map.entry("format", "text"),
                    Map.entry("readers", "0"),
                    Map.entry("earlierReaders", "0"),
                    Map.entry("slowReaders", "0"),
                    Map.entry("opening", "0"),
                    Map.entry("rate", "0"),
                    Map.entry("messages", "0"),
                    Map.entry("coldSeconds", "0"),
                    Map.entry("seconds", "0"),
                    Map.entry("warmUpSeconds", "0"),
                    Map.entry("size", "200"),
                    Map.entry("window", "64"),
                    Map.entry("collect", "false"),
                    Map.entry("traceMessages", "0"),
                    Map.entry("traceRate", "0"));

    /** Reads the command line. */
    static LoadOptions parse(String... args) {
        Map<String, String> given = new LinkedHashMap<>(DEFAULTS);
        given.putAll(
                Arrays.stream(args)
                        .map(arg -> arg.split("=", 2))
                        .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1])));
        return new LoadOptions(
                text(given, "mode"),
                list(given, "ports").map(Integer::valueOf).toList(),
                list(given, "pids").map(Long::valueOf).toList(),
                number(given, "publishingPods"),
                Long.parseLong(text(given, "redisPid")),
                number(given, "redisPort"),
                Boolean.parseBoolean(text(given, "jvm")),
                Long.parseLong(text(given, "startMillis")),
                text(given, "eventsPath"),
                text(given, "sendPath"),
                number(given, "rooms"),
                number(given, "roomsPerStream"),
                Boolean.parseBoolean(text(given, "ownRoom")),
                text(given, "format"),
                number(given, "readers"),
                number(given, "earlierReaders"),
                number(given, "slowReaders"),
                number(given, "opening"),
                number(given, "rate"),
                number(given, "messages"),
                number(given, "coldSeconds"),
                number(given, "seconds"),
                number(given, "warmUpSeconds"),
                number(given, "size"),
                number(given, "window"),
                Boolean.parseBoolean(text(given, "collect")),
                number(given, "traceMessages"),
                number(given, "traceRate"));
    }

    /** The port at which the readers of the room with this number connect. */
    int readingPort(int room) {
        return ports.get(room % readingPods());
    }

    /** The processes of the pods at which readers connect. */
    List<Long> readingPids() {
        return pids.subList(0, readingPods());
    }

    private int readingPods() {
        return ports.size() - publishingPods;
    }

    /**
     * The port at which the publisher with this number connects. Of the rooms that are read at one
     * pod, each pod gets as many messages as the others.
     */
    int publishingPort(int number) {
        return publishingPods == 0
                ? ports.get(number / ports.size() % ports.size())
                : ports.get(readingPods() + number % publishingPods);
    }

    /** The path to which the publisher with this number publishes. */
    String sendPath(int number) {
        return rooms == 1 ? sendPath : sendPath + "?room=r" + number % rooms;
    }

    /**
     * The path of a stream.
     *
     * @param room number of its first room
     * @param reader number of the reader, which no other one has
     */
    String eventsPath(int room, int reader) {
        var query = new StringJoiner("&", "?", "").setEmptyValue("");
        if (!format.equals("text")) {
            query.add("format=" + format);
        }
        if (rooms > 1) {
            for (int i = 0; i < roomsPerStream; i++) {
                query.add("room=r" + (room + i) % rooms);
            }
        }
        if (ownRoom) {
            query.add("room=own" + reader);
        }
        return eventsPath + query;
    }

    /** Whether a stream whose first room has this number reads what the publisher publishes. */
    boolean reads(int room, int publisher) {
        return Math.floorMod(publisher - room, rooms) < roomsPerStream;
    }

    private static Stream<String> list(Map<String, String> given, String key) {
        return Arrays.stream(text(given, key).split(",", -1));
    }

    private static int number(Map<String, String> given, String key) {
        return Integer.parseInt(text(given, key));
    }

    private static String text(Map<String, String> given, String key) {
        String value = given.get(key);
        if (value == null) {
            throw new IllegalArgumentException(key + "=… is missing");
        }
        return value;
    }
}
