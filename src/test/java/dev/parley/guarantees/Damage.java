package dev.parley.guarantees;

import java.io.ByteArrayOutputStream;

/** What can happen to a byte of a request on its way. */
enum Damage {
    OVERWRITTEN,
    LOST,
    DOUBLED,
    /** Nothing follows it. */
    CUT_OFF;

    /**
     * @param at the byte
     * @param other what it is overwritten with
     */
    byte[] of(byte[] bytes, int at, byte other) {
        var damaged = new ByteArrayOutputStream();
        damaged.write(bytes, 0, at);
        switch (this) {
            case OVERWRITTEN -> damaged.write(other);
            case LOST -> {}
            case DOUBLED -> damaged.writeBytes(new byte[] {bytes[at], bytes[at]});
            case CUT_OFF -> damaged.write(bytes[at]);
        }
        if (this != CUT_OFF) {
            damaged.write(bytes, at + 1, bytes.length - at - 1);
        }
        return damaged.toByteArray();
    }
}
