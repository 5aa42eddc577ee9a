package dev.parley.guarantees;

import static dev.parley.testsupport.TestRoom.numbers;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import java.util.List;

/** What readers must have got. */
final class Received {

    private Received() {}

    /** The numbers from 1 on, and no event besides them, on one connection. */
    static void assertNumbersAlone(SseReader reader, int last) {
        reader.awaitMessages(last);
        assertThat(reader.data()).isEqualTo(numbers(1, last));
        assertThat(reader.events()).hasSize(last);
        assertThat(reader.connections()).isOne();
    }

    /** No id twice, and within an epoch each offset by one more than the last. */
    static void assertIdsGoForwards(SseReader reader) {
        List<Event> messages = reader.messages();
        for (int i = 1; i < messages.size(); i++) {
            String former = messages.get(i - 1).id();
            String latter = messages.get(i).id();
            if (epoch(former).equals(epoch(latter))) {
                assertThat(offset(latter)).isEqualTo(offset(former) + 1);
            }
        }
        assertThat(messages).extracting(Event::id).doesNotHaveDuplicates();
    }

    static String epoch(String id) {
        return id.substring(0, id.indexOf('-'));
    }

    private static long offset(String id) {
        return Long.parseLong(id.substring(id.indexOf('-') + 1));
    }
}
