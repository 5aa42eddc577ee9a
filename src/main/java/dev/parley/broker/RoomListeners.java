package dev.parley.broker;

import dev.parley.broker.Broker.Listener;
import dev.parley.message.Room;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The listeners of each room on this pod. A room usually has one; while a room is dropped and
 * opened again it may have two. Thread-safe; looking a room up takes no lock.
 */
public class RoomListeners {

    private final Map<Room, List<Listener>> byRoom = new ConcurrentHashMap<>();

    /** Adds a listener to a room. */
    public void add(Room room, Listener listener) {
        byRoom.merge(
                room,
                List.of(listener),
                (known, added) -> Stream.concat(known.stream(), added.stream()).toList());
    }

    /** Removes a listener from a room; returns false if it was not there. */
    public boolean remove(Room room, Listener listener) {
        var removed = new AtomicBoolean();
        byRoom.computeIfPresent(
                room,
                (name, known) -> {
                    List<Listener> rest =
                            known.stream().filter(one -> !one.equals(listener)).toList();
                    removed.set(rest.size() < known.size());
                    return rest.isEmpty() ? null : rest;
                });
        return removed.get();
    }

    /** Returns the room's listeners; empty if the room is not read on this pod. */
    public List<Listener> of(Room room) {
        return byRoom.getOrDefault(room, List.of());
    }

    /** Passes every listener of every room to an action. */
    public void forEach(Consumer<Listener> action) {
        byRoom.values().forEach(listeners -> listeners.forEach(action));
    }
}
