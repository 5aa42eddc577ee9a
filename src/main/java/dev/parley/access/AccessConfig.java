package dev.parley.access;

import dev.parley.settings.ClearBoolean;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.quarkus.runtime.configuration.TrimmedStringConverter;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithConverter;
import io.smallrye.config.WithDefault;
import io.smallrye.config.WithName;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;

/**
 * Who may read and write which rooms. {@link Issuers} checks what the settings of an issuer have to
 * be together.
 *
 * <p>Spaces around the elements of a list do not count, as in the framework's own lists.
 *
 * <p>The groups are registered for reflection because the check of unknown settings lists their
 * methods, also in a native image. The converter is made by its class there.
 */
@RegisterForReflection(targets = TrimmedStringConverter.class)
@ConfigMapping(prefix = "parley.access")
public interface AccessConfig {

    /** How it is decided who may do what. */
    enum Mode {
        /** Everybody may read and write every room; tokens are ignored. */
        OPEN,
        /** A caller may do what the token says, and what is public. */
        TOKEN
    }

    /** How it is decided who may do what: {@code open} or {@code token}. */
    @WithDefault("open")
    Mode mode();

    /**
     * The longest life of a token that is accepted, from {@code iat} to {@code exp}, at least a
     * minute.
     */
    @WithDefault("24H")
    @DurationMin(minutes = 1)
    @DurationMax(days = 36_500)
    Duration maxTokenLifetime();

    /**
     * How long a ticket can be used after its last use, at least a second; an open stream counts as
     * a use.
     */
    @WithDefault("5M")
    @DurationMin(seconds = 1)
    @DurationMax(days = 36_500)
    Duration ticketLifetime();

    /**
     * Requests with a bad token or ticket that one client address may make a second, 1 to a
     * million.
     */
    @WithDefault("5")
    @Min(1)
    @Max(1_000_000)
    int failureRate();

    /** Such requests that it may make at once before the rate applies, 1 or more. */
    @WithDefault("50")
    @Min(1)
    int failureBurst();

    /** Tickets that one person may get a second from a pod, 1 to a million. */
    @WithDefault("10")
    @Min(1)
    @Max(1_000_000)
    int ticketRate();

    /** Tickets that the person may get at once before the rate applies, 1 or more. */
    @WithDefault("100")
    @Min(1)
    int ticketBurst();

    /** The rooms that need no token, in mode {@code token}. */
    @WithName("public")
    PublicRooms publicRooms();

    /** Who signs tokens, each by a name of lower-case letters and digits. */
    Map<String, Issuer> issuers();

    /** How far the clock of an issuer may be ahead or behind, up to 5 minutes. */
    @WithDefault("30S")
    @DurationMin
    @DurationMax(minutes = 5)
    Duration clockSkew();

    /** How often the keys of issuers that publish them are fetched anew, 1 s or more. */
    @WithDefault("10M")
    @DurationMin(seconds = 1)
    @DurationMax(days = 36_500)
    Duration jwksRefresh();

    /** Patterns of rooms that need no token. */
    @RegisterForReflection
    interface PublicRooms {

        /** The rooms that everybody may read. */
        Optional<List<@WithConverter(TrimmedStringConverter.class) String>> read();

        /** The rooms that everybody may write. */
        Optional<List<@WithConverter(TrimmedStringConverter.class) String>> write();
    }

    /**
     * Who signs tokens, and how they are checked and read. Exactly one of {@link #jwks}, {@link
     * #publicKey} and {@link #secret} is set.
     */
    @RegisterForReflection
    interface Issuer {

        /** The exact claim {@code iss} of the tokens. Required. */
        Optional<String> issuer();

        /** The claim {@code aud} has to contain one of these. Required. */
        Optional<List<@WithConverter(TrimmedStringConverter.class) String>> audience();

        /** Where the issuer publishes its keys, as a JWK set (RFC 7517). */
        Optional<String> jwks();

        /** A file of certificates (PEM) to trust at that address, instead of the JVM's. */
        Optional<String> jwksCa();

        /**
         * The issuer's public key or certificate in PEM, or the base64 text between its first and
         * last line, or the name of a file with either.
         */
        Optional<String> publicKey();

        /**
         * The secret that Parley shares with the issuer, as text whose UTF-8 bytes are the key, or
         * {@code file:} and the name of a file with it.
         */
        Optional<String> secret();

        /**
         * The signature algorithms that are accepted; RS256, PS256, ES256 and EdDSA by default, and
         * HS256 with a secret.
         */
        Optional<List<@WithConverter(TrimmedStringConverter.class) String>> algorithms();

        /** The claim with the rights, a path with {@code /}. */
        @WithDefault("parley")
        String rightsClaim();

        /** The claim with the person's name, a path with {@code /}. */
        @WithDefault("name")
        String nameClaim();

        /** The claim with the groups that the person is in, a path with {@code /}. */
        Optional<String> groupsClaim();

        /** What members of a group may do, by the group's name. */
        Map<String, Group> groups();
    }

    /** What members of a group may do. */
    @RegisterForReflection
    interface Group {

        /**
         * The name of the group as in tokens; the key of the entry by default. An environment
         * variable cannot spell most names.
         */
        Optional<String> group();

        /** The rooms that members may read. */
        Optional<List<@WithConverter(TrimmedStringConverter.class) String>> read();

        /** The rooms that members may write. */
        Optional<List<@WithConverter(TrimmedStringConverter.class) String>> write();

        /** The rooms in which members may see who is there. */
        Optional<List<@WithConverter(TrimmedStringConverter.class) String>> presence();

        /** Lets members revoke the rights of others. */
        @WithDefault("false")
        @WithConverter(ClearBoolean.class)
        boolean admin();
    }
}
