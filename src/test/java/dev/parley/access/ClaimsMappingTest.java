package dev.parley.access;

import static dev.parley.access.TestTokens.token;
import static dev.parley.access.TokenRefused.Reason.MALFORMED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.message.Message;
import dev.parley.message.Room;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How the claims of a token become rights and a name. */
final class ClaimsMappingTest {

    private final Verifying plain = Verifying.with(AccessSettings.withSecret());

    private final Verifying keycloak =
            Verifying.with(
                    AccessSettings.withSecret()
                            .dev("rights-claim", "resource_access/chat/parley")
                            .dev("name-claim", "preferred_username")
                            .dev("groups-claim", "realm_access/roles")
                            .dev("groups.staff.read", "team.*,kitchen")
                            .dev("groups.staff.write", "team.*")
                            .dev("groups.\"/ops/on call\".read", "*")
                            .dev("groups.\"/ops/on call\".admin", "true"));

    @Test
    void rights_areThoseOfTheClaim() {
        Grants grants =
                plain.accept(
                                token().claim(
                                                "parley",
                                                Map.of(
                                                        "read", List.of("team.*", "kitchen"),
                                                        "write", List.of("kitchen"),
                                                        "presence", List.of("team.*.private"),
                                                        "admin", true,
                                                        "of-a-later-version", 1))
                                        .signed())
                        .grants();

        assertThat(grants.read()).asString().isEqualTo("[team.*, kitchen]");
        assertThat(grants.write()).asString().isEqualTo("[kitchen]");
        assertThat(grants.presence()).asString().isEqualTo("[team.*.private]");
        assertThat(grants.admin()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "team.*, team.red, true",
        "team.*, team.red.blue, true",
        "team.*, teamx, false",
        "team.*, team, false",
        "team.*, Team.red, false",
        "team.*, xteam.red, false",
        "team*, teamx, true",
        "t.m, tam, false",
        "a.*.c, a.b.c, true",
        "a.*.c, a.b.x.c, false",
        "a.*.c, a..c, false",
        "kitchen, Kitchen, false",
        "kitchen, kitchens, false",
        "*, anything.at-all, true"
    })
    void pattern_grantsTheRoomsThatItSays_andNoOthers(String pattern, String room, boolean may) {
        Grants grants =
                plain.accept(token().rights(List.of(pattern), List.of(pattern)).signed()).grants();

        assertThat(grants.mayRead(new Room(room))).isEqualTo(may);
        assertThat(grants.mayWrite(new Room(room))).isEqualTo(may);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "te*m",
                "**",
                "team.**",
                "*team",
                "team.*x",
                ".*",
                "[a-z]+",
                "(a|b)",
                "a\\.b",
                "a$",
                "^a",
                "a?",
                "a+",
                "kitchen\n",
                "\nkitchen",
                "kit\u0000chen",
                "kitchen ",
                "a/b",
                "ä",
                "\\Qa\\E",
                "a,b",
                "-a"
            })
    void patternThatIsNone_isRefused(String pattern) {
        String token = token().rights(List.of("kitchen", pattern), List.of()).signed();

        TokenRefused refusal = plain.refusal(token);

        assertThat(refusal.reason()).isEqualTo(MALFORMED);
        assertThat(refusal.getMessage()).startsWith("parley/read has ");
        assertThat(refusal.getMessage().chars()).allMatch(c -> c >= ' ' && c <= '~');
    }

    @Test
    void longListsAndPatterns_areRefused() {
        plain.accept(token().rights(Collections.nCopies(100, "a"), List.of()).signed());
        plain.accept(token().rights(List.of("a".repeat(160)), List.of()).signed());
        assertThat(plain.refuse(token().rights(Collections.nCopies(101, "a"), List.of()).signed()))
                .isEqualTo(MALFORMED);
        assertThat(plain.refuse(token().rights(List.of("a".repeat(161)), List.of()).signed()))
                .isEqualTo(MALFORMED);
    }

    @Test
    void rightsOfAnotherType_areRefused() {
        for (Object rights :
                List.of(
                        "read",
                        List.of("team.*"),
                        true,
                        1,
                        Map.of("read", "team.*"),
                        Map.of("write", Map.of("0", "team.*")),
                        Map.of("presence", List.of(1)),
                        Map.of("read", List.of(List.of("team.*"))),
                        Map.of("admin", "true"),
                        Map.of("admin", 1))) {
            assertThat(plain.refuse(token().claim("parley", rights).signed()))
                    .as(rights.toString())
                    .isEqualTo(MALFORMED);
        }
    }

    @Test
    void claimThatIsAbsent_grantsNothing() {
        assertThat(plain.accept(token().signed()).grants()).isEqualTo(Grants.NONE);
        assertThat(plain.accept(token().claim("parley", Map.of()).signed()).grants())
                .isEqualTo(Grants.NONE);
        assertThat(plain.accept(token().claim("Parley", Map.of("admin", true)).signed()).grants())
                .isEqualTo(Grants.NONE);
    }

    @Test
    void rightsAtAPath_areFound() {
        Map<String, Object> rights = Map.of("read", List.of("kitchen"));

        Grants grants =
                keycloak.accept(
                                token().claim(
                                                "resource_access",
                                                Map.of("chat", Map.of("parley", rights)))
                                        .claim("parley", Map.of("admin", true))
                                        .signed())
                        .grants();

        assertThat(grants.read()).asString().isEqualTo("[kitchen]");
        assertThat(grants.admin()).as("by a claim that is not configured").isFalse();
        assertThat(keycloak.accept(token().claim("resource_access", "chat").signed()).grants())
                .isEqualTo(Grants.NONE);
    }

    @Test
    void claimWhoseNameIsAUrl_isFound() {
        Verifying urls =
                Verifying.with(
                        AccessSettings.withSecret()
                                .dev("rights-claim", "https://chat.example/parley"));

        Grants grants =
                urls.accept(
                                token().claim("https://chat.example/parley", Map.of("admin", true))
                                        .signed())
                        .grants();

        assertThat(grants.admin()).isTrue();
    }

    @Test
    void groups_grantWhatIsConfiguredForThem() {
        Map<String, Object> roles = Map.of("roles", List.of("offline_access", "staff"));

        Grants grants = keycloak.accept(token().claim("realm_access", roles).signed()).grants();

        assertThat(grants.read()).asString().isEqualTo("[team.*, kitchen]");
        assertThat(grants.write()).asString().isEqualTo("[team.*]");
        assertThat(grants.admin()).isFalse();
        Map<String, Object> more = Map.of("roles", List.of("/ops/on call", "staff"));
        Grants both = keycloak.accept(token().claim("realm_access", more).signed()).grants();
        assertThat(both.admin()).isTrue();
        assertThat(both.mayRead(new Room("any"))).isTrue();
        assertThat(both.mayWrite(new Room("any"))).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"Staff", "staff ", "staf", "/staff", "staff/admins", "*", "st\u0000aff"})
    void groupOfAnotherName_grantsNothing(String group) {
        Map<String, Object> roles = Map.of("roles", List.of(group));

        assertThat(keycloak.accept(token().claim("realm_access", roles).signed()).grants())
                .isEqualTo(Grants.NONE);
    }

    /** Some issuers write a single group as a text. */
    @Test
    void groupsInAText_areOneGroup_whichMayHaveSpaces() {
        Map<String, Object> one = Map.of("roles", "/ops/on call");
        Map<String, Object> two = Map.of("roles", "staff intern");

        assertThat(keycloak.accept(token().claim("realm_access", one).signed()).grants().admin())
                .isTrue();
        assertThat(keycloak.accept(token().claim("realm_access", two).signed()).grants())
                .isEqualTo(Grants.NONE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"scope", "scp"})
    void scopesInAText_areAList(String claim) {
        Verifying verifying =
                Verifying.with(
                        AccessSettings.withSecret()
                                .dev("groups-claim", claim)
                                .dev("groups.\"staff\".write", "team.*"));

        assertThat(verifying.accept(token().claim(claim, "openid staff").signed()).grants().write())
                .asString()
                .isEqualTo("[team.*]");
    }

    @Test
    void groupsOfAnotherType_areRefused() {
        for (Object roles : List.of(1, true, Map.of("staff", true), List.of("staff", 1))) {
            String token = token().claim("realm_access", Map.of("roles", roles)).signed();
            assertThat(keycloak.refuse(token)).as(roles.toString()).isEqualTo(MALFORMED);
        }
    }

    @Test
    void groupsOfVariables_areNamedInTheirValues() {
        Verifying verifying =
                Verifying.with(
                        AccessSettings.withSecret()
                                .dev("groups-claim", "groups")
                                .variable("PARLEY_ACCESS_ISSUERS_DEV_GROUPS_STAFF_GROUP", "/staff")
                                .variable("PARLEY_ACCESS_ISSUERS_DEV_GROUPS_STAFF_READ", "team.*"));

        assertThat(
                        verifying
                                .accept(token().claim("groups", List.of("/staff")).signed())
                                .grants()
                                .read())
                .asString()
                .isEqualTo("[team.*]");
        assertThat(verifying.accept(token().claim("groups", List.of("staff")).signed()).grants())
                .isEqualTo(Grants.NONE);
    }

    @ParameterizedTest
    @CsvSource({
        "Ada Lovelace, Ada Lovelace",
        "'  Ada  ', Ada",
        "'A\u0000d\u0007a\n', Ada",
        "'Ad\u2028a\u0085', Ada",
        "'Ad\ud800a', Ada",
        "'', ada",
        "'\u0000 \u0000', ada"
    })
    void name_isMadeValid(String claim, String name) {
        assertThat(plain.accept(token().claim("name", claim).signed()).person().name())
                .isEqualTo(name);
    }

    @Test
    void longName_isCutBetweenTwoCharacters() {
        String rocket = "\ud83d\ude80";
        int most = Message.MAX_FROM;

        assertThat(named("x".repeat(most + 1))).isEqualTo("x".repeat(most));
        assertThat(named("x".repeat(most - 2) + rocket)).isEqualTo("x".repeat(most - 2) + rocket);
        assertThat(named("x".repeat(most - 1) + rocket)).isEqualTo("x".repeat(most - 1));
    }

    private String named(String name) {
        return plain.accept(token().claim("name", name).signed()).person().name();
    }

    @Test
    void nameOfAnotherType_isReplacedByTheSubject() {
        for (Object name : List.of(1, List.of("Ada"), Map.of("a", "b"))) {
            assertThat(plain.accept(token().claim("name", name).signed()).person().name())
                    .isEqualTo("ada");
        }
    }

    @Test
    void nameClaim_isConfigured() {
        assertThat(
                        keycloak.accept(
                                        token().claim("name", "No")
                                                .claim("preferred_username", "lovelace")
                                                .signed())
                                .person()
                                .name())
                .isEqualTo("lovelace");
    }
}
