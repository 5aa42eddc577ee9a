package dev.parley.broker;

import dev.parley.message.EventId;
import dev.parley.message.InvalidRequest;
import dev.parley.message.Message;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A message on its way to the broker.
 *
 * @param key recognises a repeat of the message; empty if the publisher gave none
 */
public record PublishRequest(Message message, Optional<IdempotencyKey> key) {

    /**
     * A publisher's name for one message of a room, by which a repeat is recognised (the {@code
     * Idempotency-Key} header, draft-ietf-httpapi-idempotency-key-header).
     *
     * @param value 1 to 128 visible ASCII characters
     */
    public record IdempotencyKey(String value) {

        private static final Pattern FORM = Pattern.compile("[!-~]{1,128}");

        /**
         * @throws InvalidRequest if the value does not have the form above
         */
        public IdempotencyKey {
            if (!FORM.matcher(value).matches()) {
                throw new InvalidRequest(
                        "bad-idempotency-key",
                        "bad Idempotency-Key: 1 to 128 visible ASCII characters are expected");
            }
        }
    }

    /**
     * The broker's confirmation that it has a message.
     *
     * @param id that of the message, or of the earlier message that this publish repeated
     * @param duplicate whether this publish repeated an earlier one
     */
    public record Receipt(EventId id, boolean duplicate) {}
}
