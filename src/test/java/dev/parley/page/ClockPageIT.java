package dev.parley.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.AriaRole;
import dev.parley.testsupport.ParleyProcess;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The clock page. */
class ClockPageIT extends PageTest {

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
