package dev.parley.delivery;

import dev.parley.log.ScriptedBroker;
import dev.parley.message.StoredMessage;
import java.util.List;
import java.util.stream.Stream;

/** All that may happen between a broker and some readers, one thing after the other. */
final class DeliverySimulation {

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
        RESUBSCRIBE,
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
    record Event(Kind kind, int number) {}

    private final HubHarness harness = new HubHarness();
    private final ScriptedBroker broker = harness.broker;
    private final List<SimulatedReader> readers =
            Stream.generate(() -> new SimulatedReader(harness)).limit(READERS).toList();

    /** Whether the broker was replaced by one that the pod has not joined yet. */
    private boolean deaf;

    private String epochThatLost = "";

    /** Every reader checks what it gets by that. */
    void apply(Event event) {
        int number = event.number();
        SimulatedReader reader = readers.get(number % READERS);
        switch (event.kind()) {
            case SAY -> say(number);
            case SAY_UNHEARD -> broker.drop(number);
            case SAY_OUT_OF_ORDER -> sayOutOfOrder();
            case REPEAT -> repeat(number);
            case TRIM -> trim(number * 5);
            case TRIM_SHORT -> trim(number / 4);
            case LOSE_NEWEST -> loseNewest(1 + number / 4);
            case LOSE_ALL -> loseAll(number);
            case RESUBSCRIBE -> resubscribe();
            case HOLD -> broker.hold();
            case ANSWER -> broker.answer();
            case RELEASE -> broker.release();
            case CONNECT -> reader.connect(new StartPosition.Tail());
            case CONNECT_NEWEST -> reader.connect(new StartPosition.Newest(number + 1));
            case DISCONNECT -> reader.disconnect();
            case STALL -> reader.stall();
            case DRAIN_ONCE -> reader.drainOnce();
            case DRAIN -> reader.drain();
            case STEP -> harness.loop.step();
            case RUN -> harness.run();
            case TICK -> harness.hub.tick();
            case REST -> comeToRest();
        }
        readers.forEach(SimulatedReader::read);
    }

    /** Every fault ends, every reader comes back, delivery restarts, and some are said. */
    void comeToRest() {
        broker.release();
        resubscribe();
        harness.run();
        readers.forEach(SimulatedReader::drain);
        harness.run();
        readers.forEach(SimulatedReader::comeBack);
        harness.say(3);
        readers.forEach(SimulatedReader::comeBack);
        harness.run();
    }

    List<SimulatedReader> readers() {
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

    private void resubscribe() {
        deaf = false;
        broker.resubscribe();
    }

    /** Rarely: there is little to see in a log that has no time to grow. */
    private void loseAll(int number) {
        if (number > 15) {
            broker.loseAll();
        }
    }
}
