package dev.parley.testsupport;

import java.util.ArrayList;
import java.util.List;

/** The commands that a pod of version 0.1 gives to Redis, with that version's scripts. */
public final class Version01 {

    /** The epoch that a room begins in. */
    public static final String EPOCH = "k3f9";

    private static final String SCRIPTS = "src/test/resources/dev/parley/version01/";
    private static final String AGE = "86400000";

    private Version01() {}

    /** Publishes a message; the answer is its id, and 1 if it is a repeat. */
    public static String[] publish(String room, String text) {
        return script(
                "publish.lua",
                room,
                "parley:live",
                room,
                "{\"text\":\"" + text + "\"}",
                Long.toString(System.currentTimeMillis()),
                EPOCH,
                "10000",
                AGE,
                "300000");
    }

    /** Reads a room, which gets a head if it has none. */
    public static String[] read(String room) {
        return script("read.lua", room, "after", "0", "10", "262144", EPOCH, AGE);
    }

    private static String[] script(String name, String room, String... args) {
        String key = "parley:{" + room + "}:";
        List<String> command = new ArrayList<>();
        command.addAll(List.of("EVAL", TextFiles.read(SCRIPTS + name), "2"));
        command.addAll(List.of(key + "head", key + "log"));
        command.addAll(List.of(args));
        return command.toArray(String[]::new);
    }
}
