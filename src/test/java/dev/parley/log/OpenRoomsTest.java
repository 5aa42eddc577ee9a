package dev.parley.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.broker.LostHistories;
import dev.parley.message.Room;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** When a room is dropped, when it is compared with the broker, and when it is replaced. */
class OpenRoomsTest {

    private static final Duration MINUTE = Duration.ofMinutes(1);

    private final ScriptedBroker broker = new ScriptedBroker();
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final OpenRooms rooms =
            new OpenRooms(
                    broker,
                    TestMessages.LINES,
                    LogSettings.DEFAULT.withLinger(MINUTE).withAudit(MINUTE),
                    new LostHistories(registry),
                    registry);

    @Test
    void room_isDropped_whenItsLingerIsOver() {
        RoomReplica room = acquire(0);
        assertThat(acquire(0)).isSameAs(room);

        rooms.release(room, seconds(100));
        rooms.tick(seconds(1_000));
        assertThat(openRooms()).as("rooms, while one cursor is left").isOne();

        rooms.release(room, seconds(1_000));

        rooms.tick(seconds(1_059));
        assertThat(openRooms()).isOne();

        rooms.tick(seconds(1_060));
        assertThat(openRooms()).isZero();
        assertThat(room.isClosed()).isTrue();
        assertThat(broker.isSubscribed(ScriptedBroker.ROOM)).isFalse();
    }

    @Test
    void room_thatIsReadAgainWithinTheLinger_isKept() {
        RoomReplica room = acquire(0);
        rooms.release(room, seconds(10));

        assertThat(acquire(seconds(60))).isSameAs(room);
        rooms.tick(seconds(1_000));

        assertThat(room.isClosed()).isFalse();
    }

    @Test
    void room_thatIsNotOpenYet_isNotAudited() {
        acquire(0);

        rooms.tick(seconds(1_000));

        assertThat(broker.reads()).isZero();
    }

    @Test
    void room_isCompared_oncePerAudit() {
        acquire(seconds(100)).open().join();
        int reads = broker.reads();

        rooms.tick(seconds(159));
        assertThat(broker.reads()).isEqualTo(reads);

        rooms.tick(seconds(160));
        assertThat(broker.reads()).isEqualTo(reads + 1);

        rooms.tick(seconds(161));
        assertThat(broker.reads()).isEqualTo(reads + 1);

        rooms.tick(seconds(220));
        assertThat(broker.reads()).isEqualTo(reads + 2);
    }

    @Test
    void room_thatCouldNotOpen_isReplaced_andItsCursorsAreNotCountedForTheNewOne() {
        broker.goDown();
        RoomReplica failed = acquire(0);
        assertThat(failed.open()).isCompletedExceptionally();

        broker.comeUp();

        RoomReplica fresh = acquire(0);
        rooms.release(failed, 0);
        rooms.tick(seconds(1_000));

        assertThat(fresh).isNotSameAs(failed);
        assertThat(fresh.isClosed()).isFalse();
        assertThat(failed.isClosed()).isTrue();
    }

    @Test
    void roomsWithMadeUpNames_doNotLingerInAnyNumber() {
        RoomReplica first = rooms.acquire(new Room("first"), 0);
        RoomReplica read = acquire(0);
        rooms.release(first, 0);

        for (int i = 0; i < 1_000; i++) {
            rooms.release(rooms.acquire(new Room("made-up-" + i), 0), 0);
        }

        assertThat(openRooms()).as("lingering rooms, and one with a reader").isEqualTo(1_001);
        assertThat(first.isClosed()).isTrue();
        assertThat(read.isClosed()).isFalse();
    }

    @Test
    void ofLingeringRooms_eachOneTooMany_dropsTheOneThatWasLeftLongestAgo() {
        List<RoomReplica> left = new ArrayList<>();
        for (int i = 0; i < 1_002; i++) {
            RoomReplica replica = rooms.acquire(new Room("made-up-" + i), 0);
            left.add(replica);
            rooms.release(replica, 0);
        }

        assertThat(left.subList(0, 2)).allMatch(RoomReplica::isClosed);
        assertThat(left.subList(2, 1_002)).noneMatch(RoomReplica::isClosed);
    }

    @Test
    void messagesThatAreTooOld_leaveTheMemory_atTheNextTick() {
        var now = new AtomicLong();
        var timed =
                new OpenRooms(
                        broker,
                        TestMessages.LINES,
                        LogSettings.DEFAULT,
                        new LostHistories(registry),
                        registry,
                        now::get);
        RoomReplica room = timed.acquire(ScriptedBroker.ROOM, 0);
        room.open().join();
        broker.publish(3);
        long held = room.bytes();
        long age = broker.bounds(ScriptedBroker.ROOM).age().toNanos();

        now.set(age - 1);
        timed.tick(0);
        assertThat(room.bytes()).isEqualTo(held).isPositive();

        now.set(age);
        timed.tick(0);
        assertThat(room.bytes()).isZero();
    }

    @Test
    void roomBeyondTheMost_isOneTooMany_unlessItIsInMemory() {
        var few =
                new OpenRooms(
                        broker,
                        TestMessages.LINES,
                        LogSettings.DEFAULT.withRooms(2),
                        new LostHistories(registry),
                        registry);
        few.acquire(new Room("a"), 0);
        assertThat(few.isFullFor(new Room("b"))).isFalse();

        few.acquire(new Room("b"), 0);

        assertThat(few.isFullFor(new Room("c"))).isTrue();
        assertThat(few.isFullFor(new Room("b"))).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "10, 40, 3",
        "30, 40, 12",
        "100, 40, MAX",
        "70, 50, MAX",
        "69, 50, 49",
        "3, 30, 1",
        "0, 0, MAX"
    })
    void share_isTheSizeToWhichTheLargestLogsAreShortened(long bound, long largest, String share) {
        long[] sizes = largest == 0 ? new long[0] : new long[] {largest, 5, 15};

        assertThat(OpenRooms.share(sizes, bound))
                .isEqualTo(share.equals("MAX") ? Long.MAX_VALUE : Long.parseLong(share));
    }

    private RoomReplica acquire(long nowNanos) {
        return rooms.acquire(ScriptedBroker.ROOM, nowNanos);
    }

    private double openRooms() {
        return registry.get("parley.rooms").gauge().value();
    }

    private static long seconds(long count) {
        return Duration.ofSeconds(count).toNanos();
    }
}
