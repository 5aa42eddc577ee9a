package dev.parley.broker;

import dev.parley.testsupport.SettableClock;
import java.time.Clock;

/** Brings the broker that a contract is about. */
interface BrokerUnderTest {

    /**
     * A broker that remembers nothing yet.
     *
     * @param clock the time that it goes by, if it does not have its own
     */
    Broker create(HistoryConfig retention, Clock clock);

    default BlockingBroker open() {
        return open(HistorySettings.DEFAULT);
    }

    default BlockingBroker open(HistoryConfig retention) {
        SettableClock clock = SettableClock.stoppedNow();
        return BlockingBroker.open(create(retention, clock), clock);
    }
}
