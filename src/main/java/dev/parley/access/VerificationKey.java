package dev.parley.access;

import io.smallrye.jwt.algorithm.SignatureAlgorithm;
import java.security.Key;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.EdECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.util.Optional;
import javax.crypto.SecretKey;
import org.jose4j.keys.EllipticCurves;

/**
 * A key that signatures of tokens are checked with.
 *
 * @param id its key id; an issuer may use the same one for several keys
 * @param algorithm the only algorithm that the issuer uses it for, if it says so
 * @param key a public key or a secret
 */
record VerificationKey(Optional<String> id, Optional<String> algorithm, Key key) {

    /** Least bits of an RSA key (RFC 7518 §3.3). */
    private static final int MIN_RSA_BITS = 2048;

    /** Makes a key without an id, for whatever algorithm its type has. */
    static VerificationKey of(Key key) {
        return new VerificationKey(Optional.empty(), Optional.empty(), key);
    }

    /** Tells whether signatures of this algorithm can be checked with the key. */
    boolean isFor(SignatureAlgorithm wanted) {
        if (algorithm.filter(only -> !only.equals(wanted.getAlgorithm())).isPresent()) {
            return false;
        }
        return switch (wanted) {
            case RS256, RS384, RS512, PS256, PS384, PS512 ->
                    key instanceof RSAPublicKey rsa && rsa.getModulus().bitLength() >= MIN_RSA_BITS;
            case ES256 -> isOnCurve(EllipticCurves.P_256);
            case ES384 -> isOnCurve(EllipticCurves.P_384);
            case ES512 -> isOnCurve(EllipticCurves.P_521);
            case EDDSA -> key instanceof EdECPublicKey;
            // A key shorter than the hash is refused (RFC 7518 §3.2).
            case HS256 -> isSecretOf(32);
            case HS384 -> isSecretOf(48);
            case HS512 -> isSecretOf(64);
        };
    }

    private boolean isOnCurve(String curve) {
        return key instanceof ECPublicKey ec
                && curve.equals(EllipticCurves.getName(ec.getParams().getCurve()));
    }

    private boolean isSecretOf(int bytes) {
        return key instanceof SecretKey && key.getEncoded().length >= bytes;
    }

    @Override
    public String toString() {
        return "VerificationKey[id=" + id + ", type=" + key.getAlgorithm() + "]";
    }
}
