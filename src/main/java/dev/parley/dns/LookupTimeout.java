package dev.parley.dns;

import java.io.IOException;

/** The look-up of a name has not ended in time. The message is a sentence for an operator. */
public final class LookupTimeout extends IOException {

    private static final long serialVersionUID = 1;

    LookupTimeout(String name, long millis) {
        super("the look-up of " + name + " has not ended within " + millis + " ms: check DNS");
    }
}
