package dev.parley.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Page;
import com.microsoft.playwright.Route;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.ColorScheme;
import com.microsoft.playwright.options.ReducedMotion;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Checks the pages with axe-core, which finds what keeps people with disabilities from using them:
 * contrasts, names, roles, order.
 */
class AccessiblePageIT extends PageBase {

    private static final String AXE = axe();

    @AutoClose private static ParleyProcess parley;

    @BeforeAll
    static void start() {
        parley = ParleyProcess.start();
    }

    @ParameterizedTest
    @EnumSource(names = {"LIGHT", "DARK"})
    void chat_hasNoViolations(ColorScheme scheme) {
        var room = new ChatRoom("chat-" + scheme);
        ChatPage page = room.open(tab(scheme), parley);
        assertThat(violations(page.tab())).as("empty").isEmpty();

        Http http = new Http(parley.uri());
        for (String name : List.of("Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Grace", "Hana")) {
            http.sendForm("Hello from " + name, "room", room.name(), "from", name);
        }
        room.say(parley, "Hello without a name");
        page.say("Hello all").awaitMessage("Hello all");
        assertThat(violations(page.tab())).as("conversation").isEmpty();

        page.scrollUp(100_000);
        assertThat(page.messages().last()).not().isInViewport();
        room.say(parley, "News");
        assertThat(page.newer()).isVisible();
        page.tab().route("**/send", Route::abort);
        assertThat(violations(page.tab())).as("scrolled up").isEmpty();

        page.say("Not published");
        assertThat(page.error()).containsText("Perhaps not sent");
        assertThat(violations(page.tab())).as("failed send").isEmpty();
    }

    @ParameterizedTest
    @EnumSource(names = {"LIGHT", "DARK"})
    void chatWithAnUndecidedMessage_hasNoViolations(ColorScheme scheme) {
        ChatPage page = new ChatRoom("undecided-" + scheme).open(tab(scheme), parley);
        page.tab().route("**/send", Route::fetch);

        page.name().fill("Ada");
        page.say("Hello");

        assertThat(page.undecidedMessages()).hasText(new String[] {"Hello"});
        assertThat(violations(page.tab())).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(names = {"LIGHT", "DARK"})
    void refusedChat_hasNoViolations(ColorScheme scheme) {
        Page tab = tab(scheme);

        tab.navigate(parley.uri("/?room=no%20room").toString());

        assertThat(tab.getByText("Try again")).isVisible();
        assertThat(violations(tab)).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(names = {"LIGHT", "DARK"})
    void clock_hasNoViolations(ColorScheme scheme) {
        Page tab = tab(scheme);

        tab.navigate(parley.uri("/clock.html").toString());

        assertThat(tab.getByRole(AriaRole.STATUS)).hasText("Live");
        assertThat(violations(tab)).isEmpty();
    }

    /** Shows that the tests above can fail. */
    @Test
    void pageWithoutLabels_hasViolations() {
        Page tab = tab(ColorScheme.LIGHT);
        tab.navigate(parley.uri("/").toString());

        tab.evaluate("() => document.querySelectorAll('label').forEach(e => e.remove())");

        assertThat(violations(tab)).isNotEmpty();
    }

    /** Opens a tab on a low screen, so that the conversation is longer than the screen. */
    private static Page tab(ColorScheme scheme) {
        // Without motion, because the colours during a transition are not those of the design.
        return browser.tab(
                options ->
                        options.setColorScheme(scheme)
                                .setReducedMotion(ReducedMotion.REDUCE)
                                .setViewportSize(1000, 600));
    }

    private static List<?> violations(Page tab) {
        tab.evaluate(AXE);
        Object found =
                tab.evaluate(
                        """
                        async () => (await axe.run()).violations.flatMap((rule) =>
                          rule.nodes.map((node) => `${rule.id} at ${node.target}: ${node.failureSummary}`))
                        """);
        return (List<?>) found;
    }

    private static String axe() {
        try (InputStream in = AccessiblePageIT.class.getResourceAsStream("/axe.min.js")) {
            if (in == null) {
                throw new IllegalStateException("axe.min.js is not on the class path");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
