package dev.parley.broker;

import dev.parley.message.InvalidRequest;
import java.util.regex.Pattern;

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
