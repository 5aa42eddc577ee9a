package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.delivery.SubscribeRequest.Denied;
import dev.parley.delivery.SubscribeRequest.RoomStart;
import dev.parley.delivery.SubscribeRequest.StartPosition;
import dev.parley.message.EventId;
import dev.parley.message.Room;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Streams of a holder whose right ends, and rooms that a stream is denied. */
class StreamHolderTest {

    private final HubHarness harness = new HubHarness();

    @BeforeEach
    void makeRooms() {
        List.of("a", "b", "c").forEach(harness::broker);
    }

    @Test
    void stream_ends_whenItsHoldersRightIsOver() {
        TestReader over = connect(until(Instant.now().minusSeconds(1)));
        TestReader soon = connect(until(Instant.now().plusMillis(1)));
        TestReader later = connect(until(Instant.now().plus(Duration.ofHours(1))));
        TestReader never = connect(until(Instant.MAX));

        harness.tick();

        assertThat(over.lines()).contains("goodbye expired");
        assertThat(soon.lines()).contains("goodbye expired");
        assertThat(later.connection().isClosed()).isFalse();
        assertThat(never.connection().isClosed()).isFalse();
        assertThat(harness.count("parley.disconnects", "reason", "expired")).isEqualTo(2);
    }

    @Test
    void streamThatTakesNoBytes_isCut_whenItsHoldersRightIsOver() {
        TestReader reader = connect(until(Instant.now().plusMillis(1)));
        reader.connection().stall();
        harness.publish("a", 1);

        harness.tick();

        assertThat(reader.connection().isAborted()).isTrue();
        assertThat(harness.count("parley.disconnects", "reason", "expired")).isOne();
    }

    @Test
    void streamsOfOneHolder_end_andNoOthers() {
        StreamHolder one = Optional::empty;
        StreamHolder other = () -> Optional.of(Instant.MAX);
        TestReader first = connect(one);
        TestReader second = connect(one);
        TestReader third = connect(other);

        harness.endStreamsOf(one, DisconnectReason.REVOKED);

        assertThat(first.lines()).endsWith("goodbye revoked");
        assertThat(second.lines()).endsWith("goodbye revoked");
        assertThat(third.connection().isClosed()).isFalse();
        harness.publish("a", 1);
        assertThat(third.lines()).contains("a0-1 text1");
    }

    @Test
    void deniedRooms_areNamed_afterThePosition_andTheOthersGoOn() {
        harness.publish("a", 2);

        TestReader reader =
                connect(
                        after("a", 1),
                        new Denied(after("c", 7), "revoked"),
                        new Denied(after("b", 5), "forbidden"));
        harness.publish("a", 1);

        assertThat(reader.lines())
                .containsExactly(
                        "at a=a0-1,b=b0-5,c=c0-7",
                        "denied b forbidden",
                        "denied c revoked",
                        "resumed a0-1 1",
                        "at a=a0-1,b=b0-5,c=c0-7",
                        "a=a0-2,b=b0-5,c=c0-7 text2",
                        "a=a0-3,b=b0-5,c=c0-7 text3");
    }

    @Test
    void deniedRoom_keepsItsPosition_inTheOrderOfTheNames_whenAnotherIdGetsLonger() {
        TestReader reader =
                connect(
                        after("b", 0),
                        new Denied(after("a", 5), "forbidden"),
                        new Denied(after("c", 7), "forbidden"));

        harness.publish("b", 9);
        harness.publish("b", 2);

        assertThat(reader.lines())
                .contains("at a=a0-5,b=b0-0,c=c0-7", "a=a0-5,b=b0-9,c=c0-7 text9")
                .endsWith("a=a0-5,b=b0-10,c=c0-7 text10", "a=a0-5,b=b0-11,c=c0-7 text11");
    }

    @Test
    void idsOfTwoRoomsAndADeniedOne_haveThePositionInEach() {
        TestReader reader =
                harness.connect(
                        List.of(tail("a"), tail("c")),
                        List.of(new Denied(after("b", 5), "forbidden")),
                        StreamHolder.NEVER_EXPIRES);
        harness.publish("a", 1);

        assertThat(reader.lines())
                .contains("at a=a0-0,b=b0-5,c=c0-0")
                .endsWith("a=a0-1,b=b0-5,c=c0-0 text1");
    }

    @Test
    void clientWithoutAPosition_getsOneOfTheRoomsThatItReads() {
        TestReader reader = connect(tail("b"), new Denied(tail("a"), "forbidden"));
        harness.publish("b", 1);

        assertThat(reader.lines())
                .containsExactly("denied a forbidden", "at b=b0-0", "b=b0-1 text1");
    }

    private TestReader connect(StreamHolder holder) {
        return harness.connect(List.of(tail("a")), List.of(), holder);
    }

    /** Connects to a room that may be read and others that may not. */
    private TestReader connect(RoomStart read, Denied... denied) {
        return harness.connect(List.of(read), List.of(denied), StreamHolder.NEVER_EXPIRES);
    }

    private static StreamHolder until(Instant end) {
        return () -> Optional.of(end);
    }

    private static RoomStart after(String room, long offset) {
        return new RoomStart(
                new Room(room), new StartPosition.After(new EventId(room + "0", offset)));
    }

    private static RoomStart tail(String room) {
        return new RoomStart(new Room(room), new StartPosition.Tail());
    }
}
