package dev.parley.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.parley.access.AccessSettings;
import dev.parley.testsupport.Json;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The command line: what is printed where, and the exit status. */
final class CommandsTest {

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private int run(AccessSettings settings, String line) {
        var commands =
                new Commands(
                        List.of(
                                new TokenCommand(name -> Commands.signer(settings::read, name)),
                                new RevokeCommand(name -> Commands.signer(settings::read, name))));
        return commands.run(
                List.of(line.split(" ", -1)),
                new PrintStream(out, true),
                new PrintStream(err, true));
    }

    private JsonNode claims() {
        String payload = out().strip().split("\\.", -1)[1];
        return Json.parse(
                new String(Base64.getUrlDecoder().decode(payload), StandardCharsets.UTF_8));
    }

    private String out() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private String err() {
        return err.toString(StandardCharsets.UTF_8);
    }

    @Test
    void token_isPrintedAlone() {
        int status =
                run(
                        AccessSettings.withSecret(),
                        "token --room kitchen --room=team.* --read --write --sub ada --name Ada");

        assertThat(status).isZero();
        assertThat(err()).isEmpty();
        assertThat(out()).matches("[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\R");
        JsonNode claims = claims();
        assertThat(claims.path("sub").asText()).isEqualTo("ada");
        assertThat(claims.path("name").asText()).isEqualTo("Ada");
        assertThat(claims.path("parley"))
                .hasToString(
                        "{\"read\":[\"kitchen\",\"team.*\"],\"write\":[\"kitchen\",\"team.*\"]}");
        assertThat(claims.path("exp").asLong() - claims.path("iat").asLong()).isEqualTo(3600);
    }

    @Test
    void optionsOfTheToken_areInItsClaims() {
        run(
                AccessSettings.withSecret(),
                "token --room team.* --presence --admin --lifetime 15m --issuer dev");

        JsonNode claims = claims();
        assertThat(claims.path("parley")).hasToString("{\"presence\":[\"team.*\"],\"admin\":true}");
        assertThat(claims.path("exp").asLong() - claims.path("iat").asLong()).isEqualTo(900);
        assertThat(claims.path("sub").asText()).isEqualTo("dev");
        assertThat(claims.has("name")).isFalse();
    }

    @Test
    void administrator_needsNoRoom() {
        assertThat(run(AccessSettings.withSecret(), "token --admin")).isZero();

        assertThat(claims().path("parley")).hasToString("{\"admin\":true}");
    }

    @ParameterizedTest
    @CsvSource({
        "token, --room is missing",
        "token --read, --room is missing",
        "token --admin --read, need a --room",
        "token --room kitchen, would permit nothing",
        "token --room kitchen --admin, would permit nothing",
        "token --room te*m --read, --room: te*m is not a pattern of rooms",
        "token --room, --room needs a value",
        "token --room kitchen --read --reed, there is no option --reed",
        "token --room kitchen --read=yes, --read takes no value",
        "token kitchen, there is no option kitchen",
        "token --room kitchen --read --lifetime never, --lifetime never: a time such as",
        "token --room kitchen --read --lifetime 0s, --lifetime 0s: a time such as",
        "token --room kitchen --read --lifetime 9000h, --lifetime 9000h: a time such as",
        "token --room kitchen --read --lifetime 999999999999999999h, a time such as 30s",
        "token --room kitchen --read --lifetime 25h, longer than parley.access.max-token-lifetime",
        "token --room kitchen --read --sub=, --sub: 1 to 255 characters",
        "token --room kitchen --read --issuer two, parley.access.issuers.two.secret is not set",
        "send --room kitchen, There is no command send"
    })
    void wrongCall_isExplained_andPrintsNoResult(String line, String sentence) {
        int status = run(AccessSettings.withSecret(), line);

        assertThat(status).isEqualTo(2);
        assertThat(out()).isEmpty();
        assertThat(err()).contains(sentence).doesNotContain("\tat ");
    }

    @Test
    void wrongSetting_isExplained_withoutTheSecret() {
        AccessSettings settings = AccessSettings.withIssuer().dev("secret", "Qx7secretQx7");

        int status = run(settings, "token --room kitchen --read");

        assertThat(status).isEqualTo(2);
        assertThat(out()).isEmpty();
        assertThat(err())
                .contains("parley.access.issuers.dev.secret is too short")
                .doesNotContain("Qx7");
    }

    @Test
    void claimWithTwoMeanings_isExplained() {
        AccessSettings settings = AccessSettings.withSecret().dev("name-claim", "sub");

        assertThat(run(settings, "token --room kitchen --read --name Ada")).isEqualTo(2);

        assertThat(err()).contains("its claim sub would have two meanings").doesNotContain("\tat ");
    }

    @Test
    void noIssuer_isExplained() {
        assertThat(run(AccessSettings.none(), "token --room kitchen --read")).isEqualTo(2);

        assertThat(err()).contains("set parley.access.issuers.NAME.issuer, .audience and .secret");
    }

    @Test
    void valueOfTheWrongType_isExplained() {
        AccessSettings settings = AccessSettings.withSecret().set("parley.access.mode", "shut");

        assertThat(run(settings, "token --room kitchen --read")).isEqualTo(2);

        assertThat(err()).contains("parley.access.mode").doesNotContain("\tat ");
    }

    @Test
    void serverThatDoesNotAnswer_isAFailure_andNoWrongCall() {
        int status = run(AccessSettings.withSecret(), "revoke --sub eve --url http://127.0.0.1:1");

        assertThat(status).isEqualTo(1);
        assertThat(out()).isEmpty();
        assertThat(err())
                .isEqualToIgnoringNewLines(
                        "revoke: http://127.0.0.1:1/revocations does not answer: the connection was"
                                + " refused");
    }

    @Test
    void serverThatCannotBeReached_isNamedWithTheReason() {
        run(AccessSettings.withSecret(), "revoke --sub eve --url http://no-such-host.invalid");
        assertThat(err()).contains("does not answer: the host is not known");
    }

    @Test
    void help_explainsTheCommands() {
        assertThat(run(AccessSettings.none(), "--help")).isZero();

        assertThat(out()).contains("token --room PATTERN", "--lifetime", "revoke", "exit status");
        assertThat(err()).isEmpty();
    }
}
