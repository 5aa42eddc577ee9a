package dev.parley.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Route;
import com.microsoft.playwright.options.WaitUntilState;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** Sending with the page, where the test writes the answers and what arrives on the stream. */
class ChatSendPageIT extends PageTest {

    @AutoClose private final ScriptedSite site = ScriptedSite.start();

    private final Page tab = browser.tab();

    @Test
    void sendBeforeTheScriptHasRun_keepsTheTextInTheFormAndOutOfTheAddress() {
        List<Route> held = new ArrayList<>();
        tab.route("**/chat.js", held::add);
        tab.navigate(
                site.uri().toString(),
                new Page.NavigateOptions().setWaitUntil(WaitUntilState.COMMIT));
        tab.waitForCondition(() -> !held.isEmpty());
        tab.locator("#name").fill("Ada");
        tab.locator("#text").fill("Secret");

        tab.locator("#send").click(new Locator.ClickOptions().setForce(true));
        tab.locator("#name").press("Enter");
        tab.unroute("**/chat.js");
        held.get(0).resume();

        assertThat(tab.locator("#send")).isEnabled();
        assertThat(tab.locator("#text")).hasValue("Secret");
        assertThat(tab.url()).isEqualTo(site.uri().toString());
    }
}
