package dev.parley.access;

import dev.parley.settings.PatternSetting;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.smallrye.jwt.algorithm.SignatureAlgorithm;
import io.vertx.core.Vertx;
import java.net.URI;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Reads the settings of the issuers, and refuses those that are wrong or contradict each other,
 * with a sentence that names the setting. No sentence repeats a secret or a key.
 */
final class Issuers {

    private static final int MAX_PORT = 65_535;
    private static final String ISSUERS = "parley.access.issuers.";

    /** Letters of one case and digits: environment variables have no other case to spell. */
    private static final Pattern NAME = Pattern.compile("[a-z0-9]{1,32}");

    private static final Set<SignatureAlgorithm> SECRET_ALGORITHMS =
            EnumSet.of(
                    SignatureAlgorithm.HS256, SignatureAlgorithm.HS384, SignatureAlgorithm.HS512);

    private static final Set<SignatureAlgorithm> DEFAULT_PUBLIC_ALGORITHMS =
            EnumSet.of(
                    SignatureAlgorithm.RS256,
                    SignatureAlgorithm.PS256,
                    SignatureAlgorithm.ES256,
                    SignatureAlgorithm.EDDSA);

    private final AccessConfig config;
    private final @Nullable Vertx vertx;

    private Issuers(AccessConfig config, @Nullable Vertx vertx) {
        this.config = config;
        this.vertx = vertx;
    }

    /**
     * Reads the issuers, and begins to fetch the keys of those that publish them.
     *
     * @return them by the claim {@code iss}
     * @throws ConfigurationException if a setting is wrong
     */
    static Map<String, Issuer> read(AccessConfig config, Vertx vertx) {
        return new Issuers(config, vertx).read();
    }

    /** Reads the issuers; those that publish their keys have none. */
    static Map<String, Issuer> readWithoutFetching(AccessConfig config) {
        return new Issuers(config, null).read();
    }

    private Map<String, Issuer> read() {
        Map<String, Issuer> issuers = new HashMap<>();
        // In alphabetical order, so that the same mistake is always reported in the same words.
        new TreeMap<>(config.issuers())
                .forEach(
                        (name, settings) -> {
                            Issuer issuer = issuer(name, settings);
                            Issuer other = issuers.put(issuer.iss(), issuer);
                            if (other != null) {
                                throw new ConfigurationException(
                                        "%s%s.issuer and %s%s.issuer are the same; put their settings into one of them"
                                                .formatted(ISSUERS, other.name(), ISSUERS, name));
                            }
                        });
        checkMode(issuers);
        return issuers;
    }

    private void checkMode(Map<String, Issuer> issuers) {
        // In mode open too, in which they have no effect.
        PatternSetting.readAll("parley.access.public.read", config.publicRooms().read());
        PatternSetting.readAll("parley.access.public.write", config.publicRooms().write());
        boolean isAnyRoomPublic =
                config.publicRooms().read().isPresent() || config.publicRooms().write().isPresent();
        if (config.mode() == AccessConfig.Mode.TOKEN && issuers.isEmpty() && !isAnyRoomPublic) {
            throw new ConfigurationException(
                    "parley.access.mode is token, but there is no issuer of tokens, so no caller could"
                            + " do anything; set parley.access.issuers.NAME.issuer, .audience and one"
                            + " of .jwks, .public-key and .secret, or parley.access.public.read");
        }
    }

    private Issuer issuer(String name, AccessConfig.Issuer settings) {
        String prefix = ISSUERS + name;
        if (!NAME.matcher(name).matches()) {
            throw new ConfigurationException(
                    prefix
                            + ": the name of an issuer is 1 to 32 lower-case letters and digits; its"
                            + " claim iss is set by .issuer");
        }
        String iss = required(prefix + ".issuer", settings.issuer(), "the claim iss of its tokens");
        List<String> audience =
                required(
                        prefix + ".audience",
                        settings.audience().filter(list -> !list.isEmpty()),
                        "a name for this server that its tokens have in the claim aud");
        checkOneKey(prefix, settings);
        Set<SignatureAlgorithm> algorithms = algorithms(prefix, settings);
        IssuerKeys keys =
                settings.jwks().isPresent()
                        ? fetched(name, prefix, settings, algorithms)
                        : IssuerKeys.fixed(fixed(prefix, settings, algorithms));
        return new Issuer(
                name,
                iss,
                Set.copyOf(new HashSet<>(audience)),
                algorithms,
                keys,
                claims(prefix, settings));
    }

    private static <T> T required(String setting, Optional<T> value, String what) {
        return value.orElseThrow(
                () -> new ConfigurationException(setting + " is not set: it is " + what));
    }

    private static void checkOneKey(String prefix, AccessConfig.Issuer settings) {
        List<String> set =
                Map.of(
                                "jwks", settings.jwks(),
                                "public-key", settings.publicKey(),
                                "secret", settings.secret())
                        .entrySet()
                        .stream()
                        .filter(one -> one.getValue().isPresent())
                        .map(one -> prefix + "." + one.getKey())
                        .sorted()
                        .toList();
        if (set.isEmpty()) {
            throw new ConfigurationException(
                    "%s has no key; set one of %s.jwks, .public-key and .secret"
                            .formatted(prefix, prefix));
        }
        if (set.size() > 1) {
            throw new ConfigurationException(
                    "%s are both set; an issuer has one source of keys, so remove one of them, or name a second issuer"
                            .formatted(String.join(" and ", set)));
        }
        if (settings.jwksCa().isPresent() && settings.jwks().isEmpty()) {
            throw new ConfigurationException(
                    "%s.jwks-ca is set, but %s.jwks is not".formatted(prefix, prefix));
        }
    }

    /**
     * Returns the algorithms that are accepted: either those of secrets or those of public keys.
     */
    private static Set<SignatureAlgorithm> algorithms(String prefix, AccessConfig.Issuer settings) {
        boolean isSecret = settings.secret().isPresent();
        Set<SignatureAlgorithm> possible =
                isSecret
                        ? SECRET_ALGORITHMS
                        : EnumSet.complementOf(EnumSet.copyOf(SECRET_ALGORITHMS));
        if (settings.algorithms().isEmpty()) {
            return isSecret ? EnumSet.of(SignatureAlgorithm.HS256) : DEFAULT_PUBLIC_ALGORITHMS;
        }
        Set<SignatureAlgorithm> chosen = EnumSet.noneOf(SignatureAlgorithm.class);
        for (String name : settings.algorithms().get()) {
            chosen.add(
                    possible.stream()
                            .filter(one -> one.getAlgorithm().equals(name))
                            .findFirst()
                            .orElseThrow(
                                    () ->
                                            new ConfigurationException(
                                                    "%s.algorithms: %s is not an algorithm for a %s; there are %s"
                                                            .formatted(
                                                                    prefix,
                                                                    name,
                                                                    isSecret
                                                                            ? "secret"
                                                                            : "public key",
                                                                    names(possible)))));
        }
        return chosen;
    }

    private static String names(Set<SignatureAlgorithm> algorithms) {
        return algorithms.stream()
                .map(SignatureAlgorithm::getAlgorithm)
                .collect(Collectors.joining(", "));
    }

    private IssuerKeys fetched(
            String name,
            String prefix,
            AccessConfig.Issuer settings,
            Set<SignatureAlgorithm> algorithms) {
        URI address = address(prefix + ".jwks", settings.jwks().orElseThrow());
        Optional<Path> ca =
                settings.jwksCa().map(file -> KeyText.certificates(prefix + ".jwks-ca", file));
        if (vertx == null || config.mode() == AccessConfig.Mode.OPEN) {
            return IssuerKeys.fixed(KeySet.NONE);
        }
        var request = new JwksRequest(vertx, address, ca, JwksRequest.TIMEOUT);
        String shown = "Access (issuer %s, %s)".formatted(name, withoutQuery(address));
        var keys =
                new FetchedKeys(
                        shown,
                        () -> request.send().map(json -> KeySet.parse(json, algorithms)),
                        FetchedKeys.Pauses.of(config.jwksRefresh()),
                        vertx);
        keys.start();
        return keys;
    }

    private static URI address(String setting, String text) {
        try {
            URI address = URI.create(text.strip());
            String scheme = String.valueOf(address.getScheme()).toLowerCase(Locale.ROOT);
            if (address.getHost() != null
                    && address.getUserInfo() == null
                    && address.getPort() != 0
                    && address.getPort() <= MAX_PORT
                    && (scheme.equals("https") || scheme.equals("http"))) {
                return address;
            }
        } catch (IllegalArgumentException e) {
            // Refused below; the cause would repeat the text, which may contain a password.
        }
        throw new ConfigurationException(
                setting
                        + ": a URL such as https://login.example/keys is expected, with https or"
                        + " http, without a user name, and with a port, if any, from 1 to 65535");
    }

    private static String withoutQuery(URI address) {
        return address.getScheme() + "://" + address.getRawAuthority() + address.getRawPath();
    }

    private static KeySet fixed(
            String prefix, AccessConfig.Issuer settings, Set<SignatureAlgorithm> algorithms) {
        if (settings.secret().isPresent()) {
            return secret(prefix, settings.secret().get(), algorithms);
        }
        String setting = prefix + ".public-key";
        var key =
                VerificationKey.of(KeyText.publicKey(setting, settings.publicKey().orElseThrow()));
        if (algorithms.stream().noneMatch(key::isFor)) {
            throw new ConfigurationException(
                    "%s is not a key for any of %s.algorithms (%s); an RSA key has at least 2048 bits, and ES384 and ES512 have to be allowed by name"
                            .formatted(setting, prefix, names(algorithms)));
        }
        return new KeySet(List.of(key));
    }

    private static KeySet secret(String prefix, String text, Set<SignatureAlgorithm> algorithms) {
        String setting = prefix + ".secret";
        var key = VerificationKey.of(KeyText.secret(setting, text));
        for (SignatureAlgorithm algorithm : algorithms) {
            if (!key.isFor(algorithm)) {
                throw new ConfigurationException(
                        "%s is too short for %s: at least 32 bytes for HS256, 48 for HS384, 64 for HS512; openssl rand -base64 48 makes one of 64"
                                .formatted(setting, algorithm.getAlgorithm()));
            }
        }
        return new KeySet(List.of(key));
    }

    private static ClaimsMapping claims(String prefix, AccessConfig.Issuer settings) {
        Map<String, Grants> byGroup = new HashMap<>();
        new TreeMap<>(settings.groups())
                .forEach(
                        (key, group) -> {
                            String setting = prefix + ".groups.\"" + key + '"';
                            Grants other =
                                    byGroup.put(group.group().orElse(key), grants(setting, group));
                            if (other != null) {
                                throw new ConfigurationException(
                                        "%s is for the same group as another entry; put their settings into one of them"
                                                .formatted(setting));
                            }
                        });
        if (!byGroup.isEmpty() && settings.groupsClaim().isEmpty()) {
            throw new ConfigurationException(
                    "%s.groups is set, but %s.groups-claim, which names the claim with the groups, is not"
                            .formatted(prefix, prefix));
        }
        return new ClaimsMapping(
                settings.rightsClaim(), settings.nameClaim(), settings.groupsClaim(), byGroup);
    }

    private static Grants grants(String setting, AccessConfig.Group group) {
        return new Grants(
                PatternSetting.readAll(setting + ".read", group.read()),
                PatternSetting.readAll(setting + ".write", group.write()),
                PatternSetting.readAll(setting + ".presence", group.presence()),
                group.admin());
    }
}
