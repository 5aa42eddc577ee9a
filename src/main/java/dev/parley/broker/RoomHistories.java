package dev.parley.broker;

import dev.parley.broker.Broker.IdempotencyKey;
import dev.parley.message.Room;
import dev.parley.settings.RoomSettings;
import dev.parley.settings.RoomsConfig;
import jakarta.inject.Singleton;
import java.time.Duration;

/** The bounds of each room's history: those of its pattern, and otherwise the general ones. */
@Singleton
public final class RoomHistories {

    private final HistoryConfig general;
    private final RoomSettings rooms;

    /**
     * Sets the bounds.
     *
     * @param general the bounds of all rooms, where no pattern sets another one
     */
    public RoomHistories(HistoryConfig general, RoomSettings rooms) {
        this.general = general;
        this.rooms = rooms;
    }

    /** Returns the bounds of a room's history. */
    public HistoryBounds bounds(Room room) {
        var every = new HistoryBounds(general.size(), general.bytes().asLongValue(), general.age());
        return rooms.of(room).map(entry -> bounds(entry.history(), every)).orElse(every);
    }

    private static HistoryBounds bounds(RoomsConfig.History set, HistoryBounds every) {
        return new HistoryBounds(
                set.size().orElse(every.size()),
                set.bytes().map(bytes -> bytes.asLongValue()).orElse(every.bytes()),
                set.age().orElse(every.age()));
    }

    /** Returns how long a repeat under the same {@link IdempotencyKey} is recognised. */
    public Duration receipts() {
        return general.receipts();
    }
}
