package dev.parley.publish;

import dev.parley.http.TokenBuckets;
import dev.parley.message.Room;
import dev.parley.settings.RoomSettings;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Limits how often this pod accepts a message for each room whose pattern has a rate, over all
 * publishers, with a token bucket for each. A full bucket has the tokens of a second. Thread-safe.
 */
@Singleton
final class RoomRateLimit {

    private final RoomSettings rooms;
    private final TokenBuckets<Room> buckets = new TokenBuckets<>();

    RoomRateLimit(RoomSettings rooms) {
        this.rooms = rooms;
    }

    /**
     * Takes a token from the bucket of a room.
     *
     * @return the time until there is a token again; empty if this call took one, or if the room's
     *     rate is not limited
     */
    Optional<Duration> tryAcquire(Room room) {
        OptionalInt rate =
                rooms.of(room).map(entry -> entry.publish().rate()).orElse(OptionalInt.empty());
        return rate.isEmpty()
                ? Optional.empty()
                : buckets.tryTake(room, TokenBuckets.limit(rate.getAsInt(), rate.getAsInt()));
    }
}
