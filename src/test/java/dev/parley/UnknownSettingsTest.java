package dev.parley;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.ConfigKeys;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class UnknownSettingsTest {

    @Test
    void knownSettings_areThoseOfTheMappings() {
        assertThat(UnknownSettings.known())
                .containsExactlyInAnyOrderElementsOf(
                        ConfigKeys.all().stream().map(ConfigKeys.Key::name).toList());
    }

    @Test
    void everySettingAndItsVariable_isAccepted() {
        for (ConfigKeys.Key key : ConfigKeys.all()) {
            assertThat(errors(key.name(), key.environmentVariable())).isEmpty();
        }
    }

    @Test
    void settingForEachName_isAcceptedWithAnyName() {
        assertThat(errors("parley.redis.servers.north", "PARLEY_REDIS_SERVERS_NORTH")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "parley.redis.servers",
                "parley.redis.servers.",
                "parley.redis.serverz.north",
                "PARLEY_REDIS_SERVERS",
                "PARLEY_REDIS_SERVERS_",
                "PARLEY_REDIS_SERVERZ_NORTH"
            })
    void settingForEachName_isRefusedWithoutAName_andMisspelt(String name) {
        assertThat(errors(name)).hasSize(1);
    }

    @Test
    void namesOfOtherPrograms_areAccepted() {
        assertThat(errors("parley", "parleyx.a", "quarkus.nope", "PATH", "PARLEYX_A")).isEmpty();
    }

    @Test
    void variablesOfTheTestSuite_areAccepted() {
        assertThat(errors("PARLEY_TEST_REDIS", "PARLEY_TEST_CHROMIUM")).isEmpty();
    }

    @Test
    void serviceLinksOfKubernetes_areAccepted() {
        assertThat(
                        errors(
                                "PARLEY_SERVICE_HOST",
                                "PARLEY_SERVICE_PORT",
                                "PARLEY_SERVICE_PORT_HTTP",
                                "PARLEY_PORT",
                                "PARLEY_PORT_8080_TCP",
                                "PARLEY_PORT_8080_TCP_PROTO",
                                "PARLEY_PORT_8080_TCP_PORT",
                                "PARLEY_PORT_8080_TCP_ADDR",
                                "PARLEY_REDIS_SERVICE_HOST",
                                "PARLEY_REDIS_PORT_6379_TCP_PORT"))
                .isEmpty();
    }

    @Test
    void variableLikeAServiceLinkWithoutService_isRefused() {
        assertThat(errors("PARLEY_PORT"))
                .containsExactly(
                        "There is no environment variable PARLEY_PORT; docs/configuration.md lists"
                                + " the settings");
    }

    @ParameterizedTest
    @CsvSource({
        "parley.nope, setting",
        "parley.nope.at.all, setting",
        "parley.history.nonsense, setting",
        "PARLEY_NOPE, environment variable",
        "PARLEY_HISTORY_NONSENSE, environment variable"
    })
    void unknownName_isRefused(String name, String kind) {
        assertThat(errors("parley.history.size", name))
                .containsExactly(
                        "There is no %s %s; docs/configuration.md lists the settings"
                                .formatted(kind, name));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "parley.rooms.kitchen.history.size",
                "parley.rooms.\"team.*\".history.age",
                "parley.rooms.\"team.*\".publish.rate",
                "parley.rooms.teams.pattern",
                "PARLEY_ROOMS_TEAMS_PATTERN",
                "PARLEY_ROOMS_TEAM2_HISTORY_SIZE"
            })
    void settingOfSomeRooms_isAccepted(String name) {
        assertThat(errors(name)).isEmpty();
    }

    @Test
    void variableOfAPattern_isAccepted_ifItReplacesASettingThatIsThere() {
        String variable = "PARLEY_ROOMS__TEAM____HISTORY_SIZE";

        assertThat(errors("parley.rooms.\"team.*\".history.size", variable)).isEmpty();
        assertThat(errors(variable))
                .containsExactly(
                        "There is no environment variable PARLEY_ROOMS__TEAM____HISTORY_SIZE; a"
                                + " variable cannot spell a pattern: choose a word of letters and"
                                + " digits, and set PARLEY_ROOMS_TEAMS_PATTERN=team.* and"
                                + " PARLEY_ROOMS_TEAMS_HISTORY_SIZE");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "parley.rooms.kitchen.size",
                "parley.rooms.\"team.*\".burst",
                "parley.rooms.kitchen",
                "parley.rooms.team.red.private"
            })
    void unknownSettingOfSomeRooms_isRefusedWithThoseThatThereAre(String name) {
        assertThat(errors(name))
                .containsExactly(
                        "There is no setting "
                                + name
                                + "; the settings of a pattern are history.age, history.bytes,"
                                + " history.size, pattern, publish.rate");
    }

    @ParameterizedTest
    @CsvSource({
        "parley.rooms.team.*.history.size, parley.rooms.\"team.*\".history.size",
        "parley.rooms.a.b.c.publish.rate, parley.rooms.\"a.b.c\".publish.rate"
    })
    void patternWithDots_isRefusedWithoutQuotes(String name, String quoted) {
        assertThat(errors(name))
                .containsExactly(
                        "There is no setting "
                                + name
                                + "; a pattern with dots is written in quotes: "
                                + quoted);
    }

    @ParameterizedTest
    @CsvSource({
        "parley.rooms.\"team.*\".history.sise, parley.rooms.\"team.*\".history.size",
        "parley.rooms.kitchen.publish.rat, parley.rooms.kitchen.publish.rate",
        "PARLEY_ROOMS_TEAMS_HISTORY_SISE, PARLEY_ROOMS_TEAMS_HISTORY_SIZE",
        "parley.access.issuers.dev.secrets, parley.access.issuers.dev.secret",
        "parley.access.issuers.dev.groups.staff.reed, parley.access.issuers.dev.groups.staff.read",
        "PARLEY_ACCESS_ISSUERS_DEV_NAMECLAIM, PARLEY_ACCESS_ISSUERS_DEV_NAME_CLAIM",
        "parley.history.sise, parley.history.size",
        "parley.histroy.size, parley.history.size",
        "parley.publish.maxtext, parley.publish.max-text",
        "parley.events.max-connections-age, parley.events.max-connection-age",
        "PARLEY_HISTORYSIZE, PARLEY_HISTORY_SIZE",
        "PARLEY_LIMITS_CONNECTION, PARLEY_LIMITS_CONNECTIONS"
    })
    void misspeltName_isRefusedWithTheNearestOne(String name, String meant) {
        assertThat(errors(name)).singleElement().asString().endsWith("did you mean " + meant + "?");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "parley.access.public.read",
                "PARLEY_ACCESS_PUBLIC_READ",
                "parley.access.issuers.dev.secret",
                "parley.access.issuers.dev.name-claim",
                "parley.access.issuers.dev.groups.staff.read",
                "parley.access.issuers.dev.groups.\"/staff of.x\".admin",
                "PARLEY_ACCESS_ISSUERS_DEV_SECRET",
                "PARLEY_ACCESS_ISSUERS_DEV2_PUBLIC_KEY",
                "PARLEY_ACCESS_ISSUERS_NAME_NAME_CLAIM",
                "PARLEY_ACCESS_ISSUERS_DEV_GROUPS_CLAIM",
                "PARLEY_ACCESS_ISSUERS_DEV_GROUPS_STAFF_GROUP"
            })
    void settingOfAnIssuer_isAccepted(String name) {
        assertThat(errors(name)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "parley.access.issuers",
                "parley.access.issuers.dev",
                "parley.access.issuers.dev.groups.staff",
                "parley.access.issuers.dev.key",
                "parley.access.publicrooms.read",
                "PARLEY_ACCESS_ISSUERS_DEV",
                "PARLEY_ACCESS_ISSUERS__SECRET",
                "PARLEY_ACCESS_ISSUERS_DEV_GROUPS_STAFF"
            })
    void unknownSettingOfAnIssuer_isRefused(String name) {
        assertThat(errors(name)).hasSize(1);
    }

    @Test
    void severalUnknownNames_areAllRefused() {
        assertThat(errors("parley.nope", "PARLEY_NOPE", "parley.nothing")).hasSize(3);
    }

    private static List<String> errors(String... names) {
        return UnknownSettings.errors(Set.of(names), UnknownSettings.known());
    }
}
