package dev.parley.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Clock;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.AriaRole;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.Timeouts;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The clock page. */
class ClockPageIT extends PageBase {

    private static final Pattern TIME = Pattern.compile("\\d\\d:\\d\\d:\\d\\d");

    @AutoClose private static ParleyProcess parley;

    @BeforeAll
    static void start() {
        parley = ParleyProcess.start();
    }

    @Test
    void clock_ticks() {
        Page tab = browser.tab();
        ConsoleErrors errors = ConsoleErrors.of(tab);

        tab.navigate(parley.uri("/clock.html").toString());

        var time = tab.getByRole(AriaRole.TIMER);
        assertThat(time).hasText(TIME);
        assertThat(tab.getByRole(AriaRole.STATUS)).hasText("Live");
        String first = time.textContent();
        assertThat(time).not().hasText(first);
        String second = time.textContent();
        assertThat(time).not().hasText(second);
        assertThat(errors.all()).isEmpty();
    }

    @Test
    void clockThatStops_isNotCalledLive_andIsConnectedAnew() {
        try (ScriptedSite site = ScriptedSite.start()) {
            Page tab = browser.tab();
            tab.clock().install(new Clock.InstallOptions().setTime("2026-01-01T00:00:00Z"));
            tab.clock().pauseAt("2026-01-01T01:00:00Z");
            tab.navigate(site.uri().resolve("clock.html").toString());
            ScriptedSite.Stream stream = site.awaitStream();
            stream.control("message", "2026-01-01T08:00:00Z");
            var status = tab.getByRole(AriaRole.STATUS);
            assertThat(status).hasText("Live");

            tab.clock().fastForward(9_999);
            assertThat(status).hasText("Live");
            tab.clock().fastForward(1);

            assertThat(status).hasText("Reconnecting…");
            ScriptedSite.Stream next = site.awaitStream();
            Timeouts.await("the silent stream is closed").until(stream::isClosed);
            next.control("message", "2026-01-01T08:00:11Z");
            assertThat(status).hasText("Live");
            assertThat(tab.getByRole(AriaRole.TIMER)).hasText("08:00:11");
        }
    }

    @Test
    void clockAndChat_linkToEachOther() {
        Page tab = browser.tab();
        tab.navigate(parley.uri("/clock.html").toString());

        tab.getByText("Chat").click();
        assertThat(tab.getByRole(AriaRole.STATUS)).hasText("Live");
        assertThat(tab).hasTitle("Parley");

        tab.getByText("Clock").click();
        assertThat(tab.getByRole(AriaRole.TIMER)).hasText(TIME);
    }
}
