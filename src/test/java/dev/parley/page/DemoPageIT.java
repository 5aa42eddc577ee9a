package dev.parley.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Page;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A page that Parley does not serve: opened from a file, or from another origin. */
class DemoPageIT extends PageBase {

    @TempDir private Path directory;

    @AutoClose private static RedisServer redis;
    @AutoClose private static ParleyProcess steady;
    @AutoClose private static ParleyProcess mortal;

    @BeforeAll
    static void start() {
        redis = RedisServer.start();
        steady = ParleyProcess.start(redis).awaitReady();
        mortal =
                ParleyProcess.builder()
                        .redis(redis.uri())
                        .fixedPort()
                        .quickReconnect()
                        .config("quarkus.http.access-log.enabled", "true")
                        .config(
                                "quarkus.http.access-log.pattern",
                                "%m %U after [%{i,Last-Event-ID}]")
                        .start()
                        .awaitReady();
    }

    /** For the next test, if one has failed before it replaced the pod. */
    @AfterEach
    void replaceKilledPod() {
        if (!mortal.alive()) {
            mortal = mortal.replacement().awaitReady();
        }
    }

    @Test
    void pageFromAFile_talksAndListens() {
        Page tab = browser.tab();

        talksAndListens(tab, DemoSite.file(directory, steady));

        assertThat(tab.evaluate("() => origin")).isEqualTo("null");
    }

    @Test
    void pageFromAnotherOrigin_talksAndListens() {
        try (DemoSite site = DemoSite.about(steady)) {
            talksAndListens(browser.tab(), site.uri());
        }
    }

    private static void talksAndListens(Page tab, URI page) {
        ConsoleErrors errors = ConsoleErrors.of(tab);
        open(tab, page);
        String text = "Grüße & 100 % = 👋\n+1";

        say(tab, text);
        assertThat(tab.locator("#answer")).hasText("ok");
        assertThat(tab.locator("li")).hasCount(1);
        new Http(steady.uri()).sendForm("And back");

        assertThat(tab.locator("li")).hasCount(2);
        assertThat(messages(tab)).containsExactly(text, "And back");
        assertThat(errors.all()).isEmpty();
    }

    @Test
    void pageFromAFile_missesNothingWhenThePodIsReplaced() {
        missesNothing(DemoSite.file(directory, mortal));
    }

    @Test
    void pageFromAnotherOrigin_missesNothingWhenThePodIsReplaced() {
        try (DemoSite site = DemoSite.about(mortal)) {
            missesNothing(site.uri());
        }
    }

    private static void missesNothing(URI page) {
        Page tab = browser.tab();
        open(tab, page);
        say(tab, "Before");
        assertThat(tab.locator("li")).hasText(new String[] {"Before"});

        replaceMeanwhile(tab, "Meanwhile 1", "Meanwhile 2");

        assertThat(tab.locator("li").last()).hasText("Meanwhile 2");
        say(tab, "After");
        assertThat(tab.locator("li").last()).hasText("After");
        assertThat(messages(tab)).containsExactly("Before", "Meanwhile 1", "Meanwhile 2", "After");
    }

    @Test
    void pageWithoutAMessageYet_missesNothingWhenThePodIsReplaced() {
        Page tab = browser.tab();
        open(tab, DemoSite.file(directory, mortal));

        replaceMeanwhile(tab, "The first of all");

        assertThat(tab.locator("li")).hasText(new String[] {"The first of all"});
    }

    @Test
    void comingBackFromAnotherOrigin_needsNoPreflight() {
        try (DemoSite site = DemoSite.about(mortal)) {
            Page tab = browser.tab();
            open(tab, site.uri());
            say(tab, "Before");
            assertThat(tab.locator("li")).hasText(new String[] {"Before"});
            replaceMeanwhile(tab, "Meanwhile");
            assertThat(tab.locator("li").last()).hasText("Meanwhile");

            tab.evaluate("() => source.close()");

            mortal.awaitLog("GET /events after [");
            assertThat(mortal.log())
                    .containsPattern("GET /events after \\[[0-9a-z]+-[0-9]+]")
                    .doesNotContain("OPTIONS");
        }
    }

    /** Shows that the test above can fail. */
    @Test
    void customHeaderFromAnotherOrigin_needsAPreflightAndPasses() {
        try (DemoSite site = DemoSite.about(mortal)) {
            Page tab = browser.tab();
            open(tab, site.uri());

            Object answer =
                    tab.evaluate(
                            """
                            async () => {
                              const headers = {"Idempotency-Key": "one", "Content-Type": "application/json"};
                              const body = JSON.stringify({msg: "With a key"});
                              const response = await fetch(server + "/send", {method: "POST", headers, body});
                              return [response.status, response.headers.get("Event-Id")].join(" ");
                            }
                            """);

            assertThat(answer).asString().matches("200 [0-9a-z]+-[0-9]+");
            mortal.awaitLog("OPTIONS /send");
        }
    }

    private static void replaceMeanwhile(Page tab, String... texts) {
        mortal.kill();
        assertThat(tab).hasTitle("Lost");
        Http http = new Http(steady.uri());
        List.of(texts).forEach(text -> http.sendForm(text));
        mortal = mortal.replacement();
        assertThat(tab).hasTitle("Open");
    }

    /**
     * Opens the page and waits until it is live. The head of the response comes earlier than that,
     * so texts are published directly in Redis until one arrives: only live streams get those.
     */
    private static void open(Page tab, URI page) {
        tab.navigate(page.toString());
        assertThat(tab).hasTitle("Open");
        tab.waitForCondition(() -> isLive(tab));
        redis.command("PUBLISH", "chat", "The last of these");
        assertThat(tab.locator("li").last()).hasText("The last of these");
        tab.evaluate("() => document.getElementById('messages').replaceChildren()");
    }

    private static boolean isLive(Page tab) {
        redis.command("PUBLISH", "chat", "Hello?");
        return tab.locator("li").count() > 0;
    }

    private static void say(Page tab, String text) {
        tab.locator("#text").fill(text);
        tab.locator("button").click();
    }

    private static List<String> messages(Page tab) {
        return tab.locator("li").allTextContents();
    }
}
