package dev.parley.access;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.parley.message.Room;
import dev.parley.testsupport.Json;
import dev.parley.testsupport.TextFiles;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Properties;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The examples of docs/access.md are right: their settings are accepted, and so is their token. */
final class AccessDocumentTest {

    private static final String DOCUMENT = TextFiles.read(Path.of("docs/access.md"));

    private static List<String> blocks(String language) {
        List<String> blocks =
                Pattern.compile("(?ms)^ *```" + language + "\\R(.*?)^ *```$")
                        .matcher(DOCUMENT)
                        .results()
                        .map(block -> block.group(1))
                        .toList();
        assertThat(blocks).as(language).isNotEmpty();
        return blocks;
    }

    private static AccessSettings settings(String block) throws IOException {
        var properties = new Properties();
        properties.load(new StringReader(block));
        AccessSettings settings = AccessSettings.none();
        properties.forEach((key, value) -> settings.set((String) key, (String) value));
        return settings;
    }

    @Test
    void settings_areAccepted() throws IOException {
        for (String block : blocks("properties")) {
            assertThat(Issuers.readWithoutFetching(settings(block).read())).as(block).hasSize(1);
        }
    }

    @Test
    void tokenOfTheExample_isAccepted_exceptForItsTime() {
        JsonNode claims = Json.parse(blocks("json").get(0));
        TestTokens token = TestTokens.token();
        claims.properties().forEach(claim -> token.claim(claim.getKey(), claim.getValue()));
        long now = Instant.now().getEpochSecond();
        token.claim("iat", now).claim("exp", now + 900);
        Verifying verifying =
                Verifying.with(
                        AccessSettings.withSecret().dev("issuer", claims.path("iss").asText()));

        VerifiedToken verified = verifying.accept(token.signed());

        assertThat(verified.person())
                .isEqualTo(new Person("https://app.example", "user-42", "Ada Lovelace"));
        assertThat(verified.id()).isPresent();
        assertThat(verified.grants().mayRead(new Room("team.blue"))).isTrue();
        assertThat(verified.grants().mayWrite(new Room("team.blue"))).isFalse();
        assertThat(verified.grants().presence()).isNotEmpty();
        assertThat(claims.path("exp").asLong() - claims.path("iat").asLong()).isEqualTo(900);
    }

    @Test
    void groupsOfTheExampleWithKeycloak_grantWhatItSays() throws IOException {
        String block =
                blocks("properties").stream()
                        .filter(one -> one.contains("keycloak"))
                        .findFirst()
                        .orElseThrow();
        Issuer keycloak =
                Issuers.readWithoutFetching(settings(block).read()).values().iterator().next();
        var secret = Verifying.with(AccessSettings.withSecret());
        String token =
                TestTokens.token()
                        .claim("preferred_username", "ada")
                        .claim("groups", List.of("staff", "ops"))
                        .signed();
        secret.accept(token);

        VerifiedToken read = keycloak.claims().read(UnverifiedToken.parse(token));

        assertThat(read.person().name()).isEqualTo("ada");
        assertThat(read.grants().mayRead(new Room("kitchen"))).isTrue();
        assertThat(read.grants().mayWrite(new Room("kitchen"))).isFalse();
        assertThat(read.grants().mayWrite(new Room("team.red"))).isTrue();
        assertThat(read.grants().admin()).isTrue();
    }

    @Test
    void everyReasonOfADenial_isListed_inTheOrderOfTheCode() {
        List<String> listed =
                Pattern.compile("(?m)^\\| `([a-z-]+)` \\| .* \\|$")
                        .matcher(
                                DOCUMENT.substring(
                                        DOCUMENT.indexOf("| reason | the call was denied"),
                                        DOCUMENT.indexOf("| metric | counts |")))
                        .results()
                        .map(row -> row.group(1))
                        .toList();

        assertThat(listed)
                .containsExactlyElementsOf(
                        Stream.<DenialReason>concat(
                                        Stream.of(Denial.values()),
                                        Stream.of(TokenRefused.Reason.values()))
                                .map(DenialReason::label)
                                .toList());
    }

    @Test
    void everyLanguage_signsTheSameClaims() {
        for (String language : List.of("js", "python", "go", "java", "php")) {
            String code = blocks(language).get(0);
            assertThat(code)
                    .as(language)
                    .contains("https://app.example", "parley", "user-42", "Ada Lovelace", "team.*")
                    .contains("CHAT_SECRET");
        }
    }
}
