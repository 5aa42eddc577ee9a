package dev.parley.history;

import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.message.Message.StoredMessage;
import io.smallrye.mutiny.Uni;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** Reads pages of a room's log for its history. */
final class HistoryReader {

    /**
     * Pages that one request reads at most beyond one of expired messages; then it answers with
     * none. With pages of 256 KB, a request has about a megabyte read and parsed, and not a whole
     * log, for an answer that may be empty.
     */
    static final int MAX_FURTHER_READS = 3;

    private final Function<Range, Uni<Page>> log;

    /**
     * What a request has read.
     *
     * @param first the page next to the position in the request, with its messages that have
     *     expired
     * @param page the page to answer with; another one if all messages of the first have expired
     */
    record Read(Page first, Page page) {}

    /**
     * @param log reads a page of the log
     */
    HistoryReader(Function<Range, Uni<Page>> log) {
        this.log = log;
    }

    /**
     * Reads a page. If all messages of it have expired, reads on beyond them, so that a client that
     * follows the pages seldom gets one without messages.
     */
    Uni<Read> read(Range range) {
        return log.apply(range)
                .flatMap(
                        first ->
                                readOn(range, first, range.limit(), MAX_FURTHER_READS)
                                        .map(page -> new Read(first, page)));
    }

    /** Reads on beyond a page if all messages of it have expired. */
    private Uni<Page> readOn(Range range, Page page, int count, int furtherReads) {
        return beyondExpired(page, range)
                .filter(rest -> furtherReads > 0)
                .map(
                        rest ->
                                log.apply(rest)
                                        .flatMap(
                                                next ->
                                                        readOn(
                                                                rest,
                                                                next,
                                                                count,
                                                                furtherReads - 1)))
                .orElseGet(() -> Uni.createFrom().item(cut(page, range, count)));
    }

    /** Returns what to read next if all messages of a page have expired and it is not the last. */
    private static Optional<Range> beyondExpired(Page page, Range range) {
        List<StoredMessage> messages = page.messages();
        if (messages.isEmpty() || !messages.stream().allMatch(page::isExpired)) {
            return Optional.empty();
        }
        long first = messages.get(0).offset();
        long last = messages.get(messages.size() - 1).offset();
        if (range instanceof Range.After) {
            return last < page.newest()
                    ? Optional.of(new Range.After(last, HistoryResource.MAX_LIMIT))
                    : Optional.empty();
        }
        return first > page.oldest()
                ? Optional.of(new Range.Before(first, HistoryResource.MAX_LIMIT))
                : Optional.empty();
    }

    /** Leaves out messages at the far end of a page, if it has more than this many. */
    private static Page cut(Page page, Range range, int count) {
        List<StoredMessage> messages = page.messages();
        if (messages.size() <= count) {
            return page;
        }
        List<StoredMessage> shown =
                messages.stream().filter(message -> !page.isExpired(message)).toList();
        if (shown.size() > count) {
            messages =
                    range instanceof Range.After
                            ? messages.subList(0, messages.indexOf(shown.get(count - 1)) + 1)
                            : messages.subList(
                                    messages.indexOf(shown.get(shown.size() - count)),
                                    messages.size());
        }
        return new Page(page.lineage(), page.oldest(), page.newest(), messages, page.readAt());
    }
}
