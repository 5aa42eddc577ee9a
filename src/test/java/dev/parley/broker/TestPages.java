package dev.parley.broker;

import dev.parley.message.Message.StoredMessage;
import java.time.Instant;
import java.util.List;

/** Pages that were read when their messages were accepted, so that none has an age. */
public final class TestPages {

    private TestPages() {}

    /** Makes a page of a log that has had one epoch only. */
    public static Page page(String epoch, long oldest, long newest, List<StoredMessage> messages) {
        return page(Lineage.of(epoch), oldest, newest, messages);
    }

    public static Page page(
            Lineage lineage, long oldest, long newest, List<StoredMessage> messages) {
        return new Page(lineage, oldest, newest, messages, Instant.EPOCH);
    }
}
