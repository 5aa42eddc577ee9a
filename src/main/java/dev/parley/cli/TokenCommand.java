package dev.parley.cli;

import dev.parley.access.Grants;
import dev.parley.access.TokenSigner;
import dev.parley.message.RoomPattern;
import io.quarkus.runtime.configuration.DurationConverter;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * Prints a token that is signed with the secret of an issuer, so that one can try rooms with rights
 * without a back end.
 */
final class TokenCommand implements Command {

    private static final Duration LIFETIME = Duration.ofHours(1);
    private static final Duration LONGEST = Duration.ofDays(366);

    private final Function<Optional<String>, TokenSigner> signers;

    /**
     * @param signers returns what signs with the secret of the issuer of this name, or of the only
     *     one that has a secret; fails if the settings do not allow it
     */
    TokenCommand(Function<Optional<String>, TokenSigner> signers) {
        this.signers = signers;
    }

    @Override
    public String name() {
        return "token";
    }

    @Override
    public String usage() {
        return """
        token --room PATTERN [--room PATTERN ...] [--read] [--write] [--presence] [--admin]
              [--sub ID] [--name NAME] [--lifetime 1h] [--issuer NAME]
            Prints a token for the rooms that match the patterns, signed with the secret of an
            issuer (parley.access.issuers.NAME.secret, from the same settings as the server's).
            --read, --write and --presence say what it permits there; --admin allows revoking the
            rights of others, and needs no room. The token is for "dev" unless --sub says
            otherwise, and lasts for an hour. --issuer is needed if several have a secret.
        """;
    }

    @Override
    public Set<String> flags() {
        return Set.of("--read", "--write", "--presence", "--admin");
    }

    @Override
    public Set<String> options() {
        return Set.of("--room", "--sub", "--name", "--lifetime", "--issuer");
    }

    @Override
    public void run(Arguments arguments, PrintStream out) {
        Grants grants = grants(arguments);
        Duration lifetime =
                arguments.value("--lifetime").map(TokenCommand::duration).orElse(LIFETIME);
        String subject = arguments.value("--sub").orElse("dev");
        if (subject.isBlank() || !TokenSigner.isSubject(subject)) {
            throw new WrongUse(
                    "--sub: 1 to %d characters without control characters are expected"
                            .formatted(TokenSigner.MAX_SUBJECT));
        }
        Instant now = Instant.now();
        TokenSigner signer = signers.apply(arguments.value("--issuer"));
        if (lifetime.compareTo(signer.longest()) > 0) {
            throw new WrongUse(
                    "--lifetime is longer than parley.access.max-token-lifetime, the %d seconds for which the server accepts a token"
                            .formatted(signer.longest().toSeconds()));
        }
        out.println(
                signer.sign(subject, arguments.value("--name"), grants, now, now.plus(lifetime)));
    }

    private static Grants grants(Arguments arguments) {
        List<RoomPattern> rooms =
                arguments.all("--room").stream().map(TokenCommand::pattern).toList();
        var grants =
                new Grants(
                        arguments.has("--read") ? rooms : List.of(),
                        arguments.has("--write") ? rooms : List.of(),
                        arguments.has("--presence") ? rooms : List.of(),
                        arguments.has("--admin"));
        if (rooms.isEmpty() && !grants.admin()) {
            throw new WrongUse("--room is missing, such as --room kitchen or --room 'team.*'");
        }
        if (rooms.isEmpty()
                && (arguments.has("--read")
                        || arguments.has("--write")
                        || arguments.has("--presence"))) {
            throw new WrongUse("--read, --write and --presence need a --room");
        }
        if (!rooms.isEmpty()
                && grants.read().isEmpty()
                && grants.write().isEmpty()
                && grants.presence().isEmpty()) {
            throw new WrongUse(
                    "the token would permit nothing in its rooms; add --read, --write or --presence");
        }
        return grants;
    }

    private static RoomPattern pattern(String text) {
        try {
            return new RoomPattern(text);
        } catch (IllegalArgumentException e) {
            throw new WrongUse("--room: " + e.getMessage());
        }
    }

    private static Duration duration(String text) {
        try {
            Duration lifetime = new DurationConverter().convert(text);
            if (lifetime != null && lifetime.toSeconds() >= 1 && lifetime.compareTo(LONGEST) <= 0) {
                return lifetime;
            }
        } catch (IllegalArgumentException | ArithmeticException e) {
            // Refused below.
        }
        throw new WrongUse(
                "--lifetime "
                        + text
                        + ": a time such as 30s, 15m or 24h is expected, up to a year");
    }
}
