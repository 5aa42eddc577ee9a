package dev.parley.access;

/**
 * A person, or a program, that an issuer of tokens vouches for.
 *
 * @param issuer who vouches: the claim {@code iss} (RFC 7519 §4.1.1)
 * @param subject the issuer's name for them, unique and never given to another one: the claim
 *     {@code sub} (RFC 7519 §4.1.2)
 * @param name the sender of their messages, as {@link dev.parley.message.Message#from}
 */
public record Person(String issuer, String subject, String name) {

    /**
     * Returns the sender to whom their idempotency keys belong. It is longer than any name in
     * {@code from}, so that no other sender can use it, and as long for every person.
     */
    String sender() {
        return "person:" + Sha256.hex(issuer + '\n' + subject);
    }
}
