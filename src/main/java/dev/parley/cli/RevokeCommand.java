package dev.parley.cli;

import dev.parley.access.Grants;
import dev.parley.access.TokenSigner;
import java.io.IOException;
import java.io.PrintStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;

/** Revokes rights at a running pod, which passes it on to all others. */
final class RevokeCommand implements Command {

    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    /** How long the token is valid that the command makes for itself. */
    private static final Duration LIFETIME = Duration.ofMinutes(1);

    private static final int MAX_PORT = 65_535;
    private static final int REQUEST_TIMEOUT = 408;
    private static final int TOO_MANY_REQUESTS = 429;

    /** The first status of those that say that the server failed. */
    private static final int SERVER_ERROR = 500;

    /** What a header can transport as a token (RFC 6750 §2.1). */
    private static final Pattern TOKEN = Pattern.compile("[A-Za-z0-9._~+/-]+=*");

    /** The options that are fields of the call, in its order. */
    private static final Map<String, String> FIELDS =
            new TreeMap<>(
                    Map.of(
                            "--sub", "sub",
                            "--iss", "iss",
                            "--jti", "jti",
                            "--room", "room",
                            "--issued-before", "issued_before"));

    private final Function<Optional<String>, TokenSigner> signers;

    /**
     * @param signers returns what signs with the secret of the issuer of this name, or of the only
     *     one that has a secret; fails if the settings do not allow it
     */
    RevokeCommand(Function<Optional<String>, TokenSigner> signers) {
        this.signers = signers;
    }

    @Override
    public String name() {
        return "revoke";
    }

    @Override
    public String usage() {
        return """
        revoke [--sub ID] [--iss ISSUER] [--jti TOKEN-ID] [--room ROOM] [--issued-before TIME]
               [--url http://localhost:8080] [--token-file FILE] [--issuer NAME]
            Takes rights away and ends the streams that have them, on every pod. All that is given
            must hold: --sub a person, --iss their issuer, --jti one token, --room only this
            room, --issued-before only tokens from before a time such as 2026-01-31T12:00:00Z,
            which is now by default, except with --jti.
            --url is the address of a pod, with the path below which a proxy serves it, if any.
            The token with admin is in --token-file, or is signed with the secret of an issuer,
            which --issuer names if several have one (see token).
        """;
    }

    @Override
    public Set<String> flags() {
        return Set.of();
    }

    @Override
    public Set<String> options() {
        return Set.of(
                "--sub",
                "--iss",
                "--jti",
                "--room",
                "--issued-before",
                "--url",
                "--token-file",
                "--issuer");
    }

    @Override
    public void run(Arguments arguments, PrintStream out) {
        List<String> form = new ArrayList<>();
        FIELDS.forEach(
                (option, field) ->
                        arguments
                                .value(option)
                                .ifPresent(value -> form.add(field + '=' + encode(value))));
        if (form.isEmpty()) {
            throw new WrongUse(
                    "say what to revoke: --sub, --jti, --room or --issued-before, or several");
        }
        URI call = revocations(arguments.value("--url").orElse("http://localhost:8080"));
        HttpRequest request =
                HttpRequest.newBuilder(call)
                        .timeout(TIMEOUT)
                        .header("Authorization", "Bearer " + token(arguments))
                        .header("Content-Type", "application/x-www-form-urlencoded")
                        .POST(BodyPublishers.ofString(String.join("&", form)))
                        .build();
        HttpResponse<String> answer = send(request);
        if (answer.statusCode() != 200) {
            String refusal = answer.statusCode() + " " + answer.body().strip();
            throw isForNow(answer.statusCode())
                    ? new CommandFailed(refusal)
                    : new WrongUse(refusal);
        }
        if (!isOfParley(answer)) {
            throw new CommandFailed(
                    "the answer of %s is not Parley's: something else answers there, such as a page to log in; nothing is known to be revoked"
                            .formatted(call));
        }
        out.println(answer.body());
    }

    /** Tells whether the same call may succeed later. */
    private static boolean isForNow(int status) {
        return status == REQUEST_TIMEOUT || status == TOO_MANY_REQUESTS || status >= SERVER_ERROR;
    }

    /** Tells whether an answer of success is one to this call, and not some page. */
    private static boolean isOfParley(HttpResponse<String> answer) {
        String type = answer.headers().firstValue("Content-Type").orElse("");
        return type.startsWith("application/json");
    }

    /**
     * Returns the address of the call.
     *
     * @param url that of the pod, or of the path below which a proxy passes requests to it
     */
    private static URI revocations(String url) {
        try {
            URI pod = new URI(url.strip());
            String scheme = String.valueOf(pod.getScheme()).toLowerCase(Locale.ROOT);
            if ((scheme.equals("http") || scheme.equals("https"))
                    && pod.getHost() != null
                    && pod.getPort() <= MAX_PORT
                    && pod.getRawUserInfo() == null
                    && pod.getRawQuery() == null
                    && pod.getRawFragment() == null) {
                String path = pod.getRawPath().replaceFirst("/+$", "");
                return URI.create(scheme + "://" + pod.getRawAuthority() + path + "/revocations");
            }
        } catch (URISyntaxException e) {
            // Refused below.
        }
        throw new WrongUse("--url: an address such as http://localhost:8080 is expected");
    }

    private String token(Arguments arguments) {
        Optional<String> file = arguments.value("--token-file");
        if (file.isPresent()) {
            return read(file.get());
        }
        Instant now = Instant.now();
        var admin = new Grants(List.of(), List.of(), List.of(), true);
        return signers.apply(arguments.value("--issuer"))
                .sign("revoke", Optional.empty(), admin, now, now.plus(LIFETIME));
    }

    private static String read(String file) {
        String token;
        try {
            token = Files.readString(Path.of(file)).strip();
        } catch (IOException | InvalidPathException e) {
            throw new WrongUse("--token-file " + file + " cannot be read");
        }
        if (!TOKEN.matcher(token).matches()) {
            throw new WrongUse(
                    "--token-file %s does not contain a token, and nothing else".formatted(file));
        }
        return token;
    }

    private static HttpResponse<String> send(HttpRequest request) {
        try {
            HttpClient client = HttpClient.newBuilder().connectTimeout(TIMEOUT).build();
            return client.send(request, BodyHandlers.ofString());
        } catch (IOException e) {
            throw new CommandFailed(request.uri() + " does not answer: " + reason(e));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CommandFailed("interrupted");
        }
    }

    private static String reason(IOException failure) {
        if (failure instanceof HttpTimeoutException) {
            return "nothing came within %d seconds".formatted(TIMEOUT.toSeconds());
        }
        if (failure instanceof SSLException) {
            return "TLS failed, " + failure.getMessage();
        }
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof UnresolvedAddressException) {
                return "the host is not known";
            }
        }
        if (failure.getMessage() != null) {
            return failure.getMessage();
        }
        return failure instanceof ConnectException
                ? "the connection was refused"
                : failure.getClass().getSimpleName();
    }

    private static String encode(String value) {
        return URLEncoder.encode(value, StandardCharsets.UTF_8);
    }
}
