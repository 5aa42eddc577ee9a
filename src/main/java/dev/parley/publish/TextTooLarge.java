package dev.parley.publish;

import dev.parley.http.RefusedRequest;

/** A text above the limit. */
public final class TextTooLarge extends RefusedRequest {

    private static final long serialVersionUID = 1L;

    TextTooLarge(long limit) {
        super(413, "msg too large: at most " + limit + " bytes of UTF-8 are accepted");
    }
}
