package dev.parley.access;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.message.Room;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class CallerTest {

    /** Not with the skew of clocks, within which the token itself is accepted for longer. */
    @Test
    void streamOfACaller_endsAtTheEndOfTheToken() {
        Instant end = Instant.parse("2030-01-01T00:00:00Z");
        var token =
                new VerifiedToken(
                        new Person("https://a", "ada", "Ada"),
                        Grants.ALL_ROOMS,
                        Optional.empty(),
                        end.minusSeconds(600),
                        end);

        var caller =
                new Caller(
                        Optional.of(token), Grants.NONE, Caller.Carrier.BEARER, Optional.empty());

        assertThat(caller.until()).hasValue(end);
    }

    @Test
    void streamOfACallerWithoutAToken_hasNoEnd() {
        Caller anonymous = Caller.anonymous(Grants.ALL_ROOMS);

        assertThat(anonymous.until()).isEmpty();
        assertThat(anonymous.mayRead(Room.LOBBY)).isTrue();
    }
}
