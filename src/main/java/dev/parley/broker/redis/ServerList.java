package dev.parley.broker.redis;

import dev.parley.message.Room;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The names of the servers among which rooms are spread, and the server of each room: the one whose
 * name and the room's name together have the highest hash (rendezvous hashing). So the order of the
 * list and the addresses of the servers do not matter. When a server is added, it takes over a
 * share of every other server's rooms, and no room moves between the others; when one is removed,
 * its rooms alone move.
 *
 * @param names in alphabetical order, each once
 */
record ServerList(List<String> names) {

    private static final Pattern SEPARATOR = Pattern.compile(",");

    private static final long FNV_OFFSET = 0xcbf29ce484222325L;
    private static final long FNV_PRIME = 0x100000001b3L;

    /** Sorts the names, and removes repeats. */
    ServerList {
        if (names.isEmpty()) {
            throw new IllegalArgumentException("a list without servers");
        }
        names = names.stream().sorted().distinct().toList();
    }

    /** Reads the written form. */
    static ServerList parse(String written) {
        return new ServerList(List.of(SEPARATOR.split(written, -1)));
    }

    /** Returns the name of the server that has the room. */
    String serverOf(Room room) {
        String best = names.get(0);
        long highest = hash(best, room);
        for (String name : names.subList(1, names.size())) {
            long hash = hash(name, room);
            if (Long.compareUnsigned(hash, highest) > 0) {
                best = name;
                highest = hash;
            }
        }
        return best;
    }

    /**
     * Hashes {@code <server>:<room>}. It is FNV-1a with 64 bits, and the finalizer of MurmurHash3,
     * without which names that differ in their last letter only would have similar hashes. Changing
     * anything here moves rooms.
     */
    private static long hash(String name, Room room) {
        long hash = FNV_OFFSET;
        for (byte one : (name + ':' + room.name()).getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ (one & 0xff)) * FNV_PRIME;
        }
        hash = (hash ^ (hash >>> 33)) * 0xff51afd7ed558ccdL;
        hash = (hash ^ (hash >>> 33)) * 0xc4ceb9fe1a85ec53L;
        return hash ^ (hash >>> 33);
    }

    /** Returns the written form, such as {@code a,b}. */
    @Override
    public String toString() {
        return String.join(",", names);
    }
}
