package dev.parley.publish;

/** A text above the limit. */
public final class TextTooLarge extends RuntimeException {

    private static final long serialVersionUID = 1L;

    TextTooLarge(long limit) {
        super("msg too large: at most " + limit + " bytes of UTF-8 are accepted");
    }
}
