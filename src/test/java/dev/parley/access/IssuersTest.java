package dev.parley.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarkus.runtime.configuration.ConfigurationException;
import io.smallrye.jwt.algorithm.SignatureAlgorithm;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyPair;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The settings of issuers: those that are accepted, and the sentences for those that are not. */
final class IssuersTest {

    private static final String DEV = "parley.access.issuers.dev";
    private static final KeyPair RSA = TestTokens.pair("RSA");

    @TempDir Path directory;

    private static Map<String, Issuer> read(AccessSettings settings) {
        return Issuers.readWithoutFetching(settings.read());
    }

    private static void assertRefused(AccessSettings settings, String... parts) {
        assertThatExceptionOfType(ConfigurationException.class)
                .isThrownBy(() -> read(settings))
                .withMessageContainingAll(parts)
                .withNoCause();
    }

    @Test
    void modeToken_isRefusedWithoutIssuerAndPublicRooms() {
        assertRefused(
                AccessSettings.none().set("parley.access.mode", "token"),
                "parley.access.mode is token, but there is no issuer",
                "parley.access.issuers.NAME.issuer",
                "parley.access.public.read");
        assertThat(
                        read(
                                AccessSettings.none()
                                        .set("parley.access.mode", "token")
                                        .set("parley.access.public.read", "news")))
                .isEmpty();
        assertThat(read(AccessSettings.none())).isEmpty();
    }

    @Test
    void variables_configureAnIssuer() {
        Map<String, Issuer> issuers =
                read(
                        AccessSettings.none()
                                .variable("PARLEY_ACCESS_MODE", "token")
                                .variable("PARLEY_ACCESS_CLOCK_SKEW", "1M")
                                .variable("PARLEY_ACCESS_ISSUERS_DEV_ISSUER", "dev")
                                .variable("PARLEY_ACCESS_ISSUERS_DEV_AUDIENCE", "parley,chat")
                                .variable("PARLEY_ACCESS_ISSUERS_DEV_SECRET", TestTokens.SECRET)
                                .variable("PARLEY_ACCESS_ISSUERS_DEV_ALGORITHMS", "HS384,HS512")
                                .variable("PARLEY_ACCESS_ISSUERS_DEV_RIGHTS_CLAIM", "a/b")
                                .variable("PARLEY_ACCESS_ISSUERS_DEV_NAME_CLAIM", "nick")
                                .variable("PARLEY_ACCESS_ISSUERS_DEV_GROUPS_CLAIM", "groups")
                                .variable("PARLEY_ACCESS_ISSUERS_DEV_GROUPS_STAFF_GROUP", "/staff")
                                .variable("PARLEY_ACCESS_ISSUERS_DEV_GROUPS_STAFF_ADMIN", "true"));

        assertThat(issuers).containsOnlyKeys("dev");
        Issuer dev = issuers.get("dev");
        assertThat(dev.name()).isEqualTo("dev");
        assertThat(dev.audience()).containsExactlyInAnyOrder("parley", "chat");
        assertThat(dev.algorithms())
                .containsExactlyInAnyOrder(SignatureAlgorithm.HS384, SignatureAlgorithm.HS512);
        assertThat(dev.claims().rights()).isEqualTo("a/b");
        assertThat(dev.claims().name()).isEqualTo("nick");
        assertThat(dev.claims().groups()).hasValue("groups");
        assertThat(dev.claims().byGroup().get("/staff").admin()).isTrue();
    }

    @Test
    void variableWithAKey_isRead() {
        for (String pem : List.of(TestTokens.pem(RSA), TestTokens.pem(RSA).replace("\n", "\\n"))) {
            Map<String, Issuer> issuers =
                    read(
                            AccessSettings.withIssuer()
                                    .variable("PARLEY_ACCESS_ISSUERS_DEV_PUBLIC_KEY", pem));

            assertThat(key(issuers)).isEqualTo(RSA.getPublic());
        }
    }

    @Test
    void publicKey_isPem_orItsBase64_orAFileWithOneOfThem() throws IOException {
        String base64 = Base64.getEncoder().encodeToString(RSA.getPublic().getEncoded());
        Path pem = Files.writeString(directory.resolve("key.pem"), TestTokens.pem(RSA));
        Path text = Files.writeString(directory.resolve("key.txt"), base64 + "\n");

        for (String value :
                List.of(
                        TestTokens.pem(RSA),
                        base64,
                        pem.toString(),
                        text.toString(),
                        "file:" + pem,
                        pem.toUri().toString())) {
            assertThat(key(read(AccessSettings.withIssuer().dev("public-key", value))))
                    .as(value)
                    .isEqualTo(RSA.getPublic());
        }
    }

    @Test
    void secret_isText_orAFile_withoutItsLastLineEnd() throws IOException {
        Path file = Files.writeString(directory.resolve("secret"), TestTokens.SECRET + "\n");

        for (String value : List.of(TestTokens.SECRET, "file:" + file, file.toUri().toString())) {
            assertThat(key(read(AccessSettings.withIssuer().dev("secret", value))).getEncoded())
                    .asString(StandardCharsets.UTF_8)
                    .isEqualTo(TestTokens.SECRET);
        }
    }

    private static Key key(Map<String, Issuer> issuers) {
        return issuers.get(TestTokens.ISSUER).keys().current().keys().get(0).key();
    }

    @Test
    void issuerWithoutWhatItNeeds_isRefused() {
        assertRefused(
                AccessSettings.none().dev("secret", TestTokens.SECRET).dev("audience", "parley"),
                DEV + ".issuer is not set");
        assertRefused(
                AccessSettings.none().dev("secret", TestTokens.SECRET).dev("issuer", "dev"),
                DEV + ".audience is not set");
        assertRefused(
                AccessSettings.withIssuer(), DEV + " has no key; set one of " + DEV + ".jwks");
    }

    @Test
    void twoSourcesOfKeys_areRefused() {
        assertRefused(
                AccessSettings.withSecret().dev("public-key", TestTokens.pem(RSA)),
                DEV + ".public-key and " + DEV + ".secret are both set");
        assertRefused(
                AccessSettings.withSecret().dev("jwks", "https://login.example/keys"),
                DEV + ".jwks and " + DEV + ".secret are both set");
        assertRefused(
                AccessSettings.withSecret().dev("jwks-ca", "ca.pem"),
                DEV + ".jwks-ca is set, but " + DEV + ".jwks is not");
    }

    @Test
    void twoIssuersOfOneName_areRefused() {
        assertRefused(
                AccessSettings.withSecret()
                        .set("parley.access.issuers.two.issuer", TestTokens.ISSUER)
                        .set("parley.access.issuers.two.audience", "parley")
                        .set("parley.access.issuers.two.secret", TestTokens.SECRET),
                DEV + ".issuer and parley.access.issuers.two.issuer are the same");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Dev", "my-idp", "my_idp", "\"a.b\""})
    void nameOfAnIssuer_isAWordThatVariablesCanSpell(String name) {
        assertRefused(
                AccessSettings.none().set("parley.access.issuers." + name + ".issuer", "x"),
                "the name of an issuer is 1 to 32 lower-case letters and digits");
    }

    @ParameterizedTest
    @CsvSource({
        "secret, RS256, secret",
        "secret, none, secret",
        "secret, hs256, secret",
        "public-key, HS256, public key",
        "public-key, none, public key",
        "public-key, 'RS256,HS256', public key",
        "jwks, HS512, public key"
    })
    void algorithmOfAnotherKind_isRefused(String kind, String algorithms, String of) {
        String value =
                Map.of(
                                "secret",
                                TestTokens.SECRET,
                                "public-key",
                                TestTokens.pem(RSA),
                                "jwks",
                                "https://login.example/keys")
                        .get(kind);

        assertRefused(
                AccessSettings.withIssuer().dev(kind, value).dev("algorithms", algorithms),
                DEV + ".algorithms: ",
                " is not an algorithm for a " + of);
    }

    @ParameterizedTest
    @CsvSource({"31, HS256", "47, HS384", "63, HS512", "63, 'HS256,HS512'"})
    void secretThatIsTooShort_isRefused(int bytes, String algorithms) {
        String secret = "Qx".repeat(40).substring(0, bytes);

        assertThatExceptionOfType(ConfigurationException.class)
                .isThrownBy(
                        () ->
                                read(
                                        AccessSettings.withIssuer()
                                                .dev("secret", secret)
                                                .dev("algorithms", algorithms)))
                .withMessageStartingWith(DEV + ".secret is too short for HS")
                .withMessageNotContaining("QxQx");
    }

    @Test
    void keyOfTheWrongKind_isRefused() {
        assertRefused(
                AccessSettings.withIssuer()
                        .dev("public-key", TestTokens.pem(RSA))
                        .dev("algorithms", "ES256"),
                DEV + ".public-key is not a key for any of " + DEV + ".algorithms (ES256)");
        assertRefused(
                AccessSettings.withIssuer()
                        .dev("public-key", TestTokens.pem(TestTokens.pair("secp384r1"))),
                DEV + ".public-key is not a key for any of",
                "ES384");
        assertRefused(
                AccessSettings.withIssuer()
                        .dev("public-key", TestTokens.pem(TestTokens.pair("X25519"))),
                DEV + ".public-key is not a public key of RSA");
    }

    @Test
    void privateKey_isRefused_andNotRepeated() {
        String base64 = Base64.getEncoder().encodeToString(RSA.getPrivate().getEncoded());
        String pem = "-----BEGIN PRIVATE KEY-----\n" + base64 + "\n-----END PRIVATE KEY-----";

        assertThatExceptionOfType(ConfigurationException.class)
                .isThrownBy(() -> read(AccessSettings.withIssuer().dev("public-key", pem)))
                .withMessage(
                        DEV
                                + ".public-key contains a PRIVATE KEY; a PUBLIC KEY or a CERTIFICATE is"
                                + " expected");
    }

    @Test
    void keyThatIsNone_isRefused_andNotRepeated() {
        for (String wrong : List.of("Qx7secretQx7!", "Qx7secretQx7Qx7=", "file:/no/such/file")) {
            assertThatExceptionOfType(ConfigurationException.class)
                    .isThrownBy(() -> read(AccessSettings.withIssuer().dev("public-key", wrong)))
                    .withMessageStartingWith(DEV + ".public-key")
                    .withMessageNotContaining("Qx7");
        }
        assertRefused(
                AccessSettings.withIssuer().dev("secret", "file:/no/such/file"),
                DEV + ".secret: the file file:/no/such/file cannot be read");
    }

    @Test
    void fileOfCertificatesThatHasNone_isRefused() throws IOException {
        Path other = Files.writeString(directory.resolve("ca.pem"), TestTokens.pem(RSA));
        assertRefused(
                AccessSettings.withIssuer()
                        .dev("jwks", "https://login.example/keys")
                        .dev("jwks-ca", other.toString()),
                DEV + ".jwks-ca: the file " + other + " has no certificate in PEM");
    }

    @Test
    void patternsOfPublicRooms_areCheckedInModeOpenToo() {
        assertRefused(
                AccessSettings.none().set("parley.access.public.read", "te*m"),
                "parley.access.public.read: te*m is not a pattern");
        assertRefused(
                AccessSettings.none().set("parley.access.public.write", "te*m"),
                "parley.access.public.write: te*m is not a pattern");
    }

    @Test
    void wordThatIsNeitherTrueNorFalse_isRefused() {
        AccessSettings settings =
                AccessSettings.withSecret()
                        .dev("groups-claim", "groups")
                        .dev("groups.\"staff\".admin", "maybe");

        assertThatThrownBy(settings::read)
                .hasStackTraceContaining("groups.\"staff\".admin")
                .hasStackTraceContaining("true or false is expected");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "login.example/keys",
                "ftp://login.example/keys",
                "file:///etc/keys",
                "https:///keys",
                "http://127.0.0.1:99999/keys",
                "https://login.example:0/keys",
                "https://user:Qx7secretQx7@login.example/keys",
                "https://Qx7secretQx7 login.example"
            })
    void addressOfKeysThatIsNone_isRefused_andNotRepeated(String address) {
        assertThatExceptionOfType(ConfigurationException.class)
                .isThrownBy(() -> read(AccessSettings.withIssuer().dev("jwks", address)))
                .withMessageStartingWith(DEV + ".jwks: a URL such as")
                .withMessageNotContaining("Qx7");
    }

    @Test
    void spacesAroundTheElementsOfAList_doNotCount() {
        AccessSettings settings =
                AccessSettings.withSecret()
                        .dev("audience", " chat , parley")
                        .dev("algorithms", "HS256 ,\tHS512 ")
                        .dev("groups-claim", "groups")
                        .dev("groups.staff.read", "news , help.*")
                        .dev("groups.staff.write", " help.* ,")
                        .set("parley.access.public.read", "lobby, open.* ")
                        .variable("PARLEY_ACCESS_PUBLIC_WRITE", "wall , inbox.*");

        Issuer issuer = read(settings).values().iterator().next();
        Grants staff = issuer.claims().byGroup().get("staff");

        assertThat(issuer.audience()).containsExactlyInAnyOrder("chat", "parley");
        assertThat(issuer.algorithms())
                .containsExactlyInAnyOrder(SignatureAlgorithm.HS256, SignatureAlgorithm.HS512);
        assertThat(staff.read()).hasToString("[news, help.*]");
        assertThat(staff.write()).hasToString("[help.*]");
        assertThat(settings.read().publicRooms().read().orElseThrow())
                .containsExactly("lobby", "open.*");
        assertThat(settings.read().publicRooms().write().orElseThrow())
                .containsExactly("wall", "inbox.*");
    }

    @Test
    void groups_needTheirClaim_andRightPatterns() {
        assertRefused(
                AccessSettings.withSecret().dev("groups.staff.read", "*"),
                DEV + ".groups is set, but " + DEV + ".groups-claim");
        assertRefused(
                AccessSettings.withSecret()
                        .dev("groups-claim", "groups")
                        .dev("groups.staff.read", "te*m"),
                DEV + ".groups.\"staff\".read: te*m is not a pattern of rooms");
        assertRefused(
                AccessSettings.withSecret()
                        .dev("groups-claim", "groups")
                        .dev("groups.staff.read", "a")
                        .dev("groups.other.group", "staff"),
                "is for the same group as another entry");
    }
}
