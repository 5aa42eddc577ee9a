package dev.parley.delivery;

import dev.parley.message.StoredMessage;
import java.util.List;
import java.util.stream.Stream;

/** All that may happen between a broker and some readers, one thing after the other. */
final class DeliveryPlay {

    private static final int READERS = 4;

    enum Kind {
        SAY,
        SAY_UNHEARD,
        SAY_OUT_OF_ORDER,
        REPEAT,
        TRIM,
        TRIM_SHORT,
        LOSE_NEWEST,
        LOSE_ALL,
        REJOIN,
        HOLD,
        ANSWER,
        RELEASE,
        CONNECT,
        CONNECT_NEWEST,
        DISCONNECT,
        STALL,
        DRAIN_ONCE,
        DRAIN,
        STEP,
        RUN,
        TICK,
        REST
    }

    /**
     * @param number which reader it happens to, or how much of it happens
     */
    record Happening(Kind kind, int number) {}

    private final Scene scene = new Scene();
    private final ScriptedBroker broker = scene.broker;
    private final List<DeliveryReader> readers =
            Stream.generate(() -> new DeliveryReader(scene)).limit(READERS).toList();

    /** Whether the broker was replaced by one that the pod has not joined yet. */
    private boolean deaf;

    private String epochThatLost = "";

    /** Every reader checks what it gets by that. */
    void happen(Happening happening) {
        int number = happening.number();
        DeliveryReader reader = readers.get(number % READERS);
        switch (happening.kind()) {
            case SAY -> say(number);
            case SAY_UNHEARD -> broker.drop(number);
            case SAY_OUT_OF_ORDER -> sayOutOfOrder();
            case REPEAT -> repeat(number);
            case TRIM -> trim(number * 5);
            case TRIM_SHORT -> trim(number / 4);
            case LOSE_NEWEST -> loseNewest(1 + number / 4);
            case LOSE_ALL -> loseAll(number);
            case REJOIN -> rejoin();
            case HOLD -> broker.hold();
            case ANSWER -> broker.answer();
            case RELEASE -> broker.release();
            case CONNECT -> reader.connect(new Start.Tail());
            case CONNECT_NEWEST -> reader.connect(new Start.Newest(number + 1));
            case DISCONNECT -> reader.disconnect();
            case STALL -> reader.stall();
            case DRAIN_ONCE -> reader.drainOnce();
            case DRAIN -> reader.drain();
            case STEP -> scene.loop.step();
            case RUN -> scene.run();
            case TICK -> scene.hub.tick();
            case REST -> comeToRest();
        }
        readers.forEach(DeliveryReader::read);
    }

    /** Every fault ends, every reader comes back, delivery restarts, and some are said. */
    void comeToRest() {
        broker.release();
        rejoin();
        scene.run();
        readers.forEach(DeliveryReader::drain);
        scene.run();
        readers.forEach(DeliveryReader::comeBack);
        scene.say(3);
        readers.forEach(DeliveryReader::comeBack);
        scene.run();
    }

    List<DeliveryReader> readers() {
        return readers;
    }

    List<String> endedEpochs() {
        return broker.endedEpochs();
    }

    private void say(int count) {
        if (deaf) {
            broker.drop(count);
        } else {
            broker.say(count);
        }
    }

    private void sayOutOfOrder() {
        StoredMessage first = broker.store();
        StoredMessage second = broker.store();
        if (!deaf) {
            broker.deliver(second);
            broker.deliver(first);
        }
    }

    private void repeat(int count) {
        List<StoredMessage> log = broker.log();
        if (!deaf) {
            log.subList(Math.max(0, log.size() - count), log.size()).forEach(broker::deliver);
        }
    }

    /** Not the messages by which a loss can be seen. */
    private void trim(int count) {
        if (!broker.epoch().equals(epochThatLost)) {
            broker.trim(count);
        }
    }

    private void loseNewest(int count) {
        broker.lose(count);
        epochThatLost = broker.epoch();
        deaf = true;
    }

    private void rejoin() {
        deaf = false;
        broker.rejoin();
    }

    /** Rarely: there is little to see in a log that has no time to grow. */
    private void loseAll(int number) {
        if (number > 15) {
            broker.loseAll();
        }
    }
}
