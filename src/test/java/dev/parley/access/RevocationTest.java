package dev.parley.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.parley.message.Room;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RevocationTest {

    private static final Instant NOON = Instant.parse("2026-01-31T12:00:00Z");
    private static final VerifiedToken TOKEN =
            new VerifiedToken(
                    new Person("https://a", "ada", "Ada"),
                    Grants.ALL_ROOMS,
                    Optional.of("t1"),
                    NOON,
                    NOON.plusSeconds(600));
    private static final List<Room> ROOMS = List.of(new Room("a"), new Room("b"));

    @Test
    void all_thatIsGiven_hasToHold() {
        assertThat(concerns(Optional.of("ada"), none(), none(), none(), none())).isTrue();
        assertThat(concerns(Optional.of("bob"), none(), none(), none(), none())).isFalse();
        assertThat(concerns(Optional.of("ada"), Optional.of("https://a"), none(), none(), none()))
                .isTrue();
        assertThat(concerns(Optional.of("ada"), Optional.of("https://b"), none(), none(), none()))
                .isFalse();
        assertThat(concerns(none(), none(), Optional.of("t1"), none(), none())).isTrue();
        assertThat(concerns(none(), none(), Optional.of("t2"), none(), none())).isFalse();
        assertThat(concerns(none(), none(), none(), Optional.of(new Room("b")), none())).isTrue();
        assertThat(concerns(none(), none(), none(), Optional.of(new Room("c")), none())).isFalse();
        assertThat(concerns(none(), none(), none(), none(), Optional.of(NOON.plusMillis(1))))
                .isTrue();
        assertThat(concerns(none(), none(), none(), none(), Optional.of(NOON))).isFalse();
        assertThat(concerns(Optional.of("ada"), none(), none(), none(), Optional.of(NOON)))
                .isFalse();
    }

    @Test
    void tokenWithoutAnId_isNotMeant_byAnId() {
        var other =
                new VerifiedToken(
                        TOKEN.person(), TOKEN.grants(), Optional.empty(), NOON, TOKEN.expires());

        assertThat(
                        new Revocation(none(), none(), Optional.of("t1"), none(), none())
                                .concerns(other))
                .isFalse();
    }

    @Test
    void writtenForm_isReadBack() {
        var revocation =
                new Revocation(
                        Optional.of("a\"d\na"),
                        Optional.of("https://a"),
                        Optional.of("t"),
                        Optional.of(new Room("a")),
                        Optional.of(NOON));

        assertThat(Revocation.fromJson(revocation.toJson()))
                .hasValueSatisfying(
                        read ->
                                assertThat(read)
                                        .isEqualTo(revocation)
                                        .hasSameHashCodeAs(revocation));
    }

    @Test
    void revocations_thatDifferInOneField_areDifferent() {
        Optional<String> text = Optional.of("a");
        Optional<Room> room = Optional.of(new Room("a"));
        Optional<Instant> time = Optional.of(NOON);

        assertThat(
                        List.of(
                                new Revocation(text, text, text, room, time),
                                new Revocation(none(), text, text, room, time),
                                new Revocation(text, none(), text, room, time),
                                new Revocation(text, text, none(), room, time),
                                new Revocation(text, text, text, none(), time),
                                new Revocation(text, text, text, room, none())))
                .doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{}",
                "[]",
                "x",
                "{\"sub\":1}",
                "{\"room\":\"not a room\"}",
                "{\"issued_before\":\"x\"}",
                "{\"sub\":\"a\""
            })
    void anythingElse_isNoRevocation(String written) {
        assertThat(Revocation.fromJson(written)).isEmpty();
    }

    @Test
    void everything_cannotBeRevoked() {
        assertThatThrownBy(
                        () ->
                                new Revocation(
                                        none(), Optional.of("https://a"), none(), none(), none()))
                .isInstanceOf(IllegalArgumentException.class);
    }

    private static boolean concerns(
            Optional<String> subject,
            Optional<String> issuer,
            Optional<String> token,
            Optional<Room> room,
            Optional<Instant> issuedBefore) {
        return new Revocation(subject, issuer, token, room, issuedBefore).concerns(TOKEN, ROOMS);
    }

    private static <T> Optional<T> none() {
        return Optional.empty();
    }
}
