package dev.parley.publish;

import dev.parley.http.TokenBuckets;
import dev.parley.message.Room;
import dev.parley.settings.RoomSettings;
import io.github.bucket4j.Bandwidth;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Limits how often this pod accepts a message: from each client, and for each room whose pattern
 * has a rate, over all of the room's publishers. Each client and each room has a token bucket of
 * its own. The bucket of a client holds the burst of the configuration, that of a room the tokens
 * of a second. Thread-safe.
 */
@Singleton
final class PublishRates {

    private final Optional<Bandwidth> clientLimit;
    private final TokenBuckets<String> clients = new TokenBuckets<>();
    private final RoomSettings roomSettings;
    private final TokenBuckets<Room> rooms = new TokenBuckets<>();

    /** Sets the limits of the configuration; without a rate, clients are not limited. */
    PublishRates(PublishConfig config, RoomSettings roomSettings) {
        this.clientLimit =
                config.rate().isPresent()
                        ? Optional.of(TokenBuckets.limit(config.rate().getAsInt(), config.burst()))
                        : Optional.empty();
        this.roomSettings = roomSettings;
    }

    /**
     * Takes a token from the bucket of a client.
     *
     * @param client a person, or the address of one who is not known
     * @return the time until there is a token again; empty if this call took one
     */
    Optional<Duration> tryAcquire(String client) {
        return clientLimit.flatMap(limit -> clients.tryTake(client, limit));
    }

    /**
     * Takes a token from the bucket of a room.
     *
     * @return the time until there is a token again; empty if this call took one, or if the room's
     *     rate is not limited
     */
    Optional<Duration> tryAcquire(Room room) {
        OptionalInt rate =
                roomSettings
                        .of(room)
                        .map(entry -> entry.publish().rate())
                        .orElse(OptionalInt.empty());
        return rate.isEmpty()
                ? Optional.empty()
                : rooms.tryTake(room, TokenBuckets.limit(rate.getAsInt(), rate.getAsInt()));
    }
}
