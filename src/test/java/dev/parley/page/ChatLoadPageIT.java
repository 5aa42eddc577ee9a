package dev.parley.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Page;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/**
 * Loading the pages while their files come from pods of several versions, as in a rolling upgrade.
 */
class ChatLoadPageIT extends PageBase {

    private static final String NOT_COMPLETE = "This page is not complete.";

    @AutoClose private final ScriptedSite site = ScriptedSite.start();

    private final Page tab = browser.tab();

    @Test
    void modulesThatAreMissingForAWhile_areLoadedLater() {
        ChatPage page = openWithoutModules();
        tab.waitForFunction("() => sessionStorage.getItem('parley.reloads') > 1");
        assertThat(page.status()).containsText(NOT_COMPLETE);

        site.haveAllFiles();

        assertBecomesLive(page);
        assertThat((Boolean) tab.evaluate("() => sessionStorage.length === 0")).isTrue();
    }

    @Test
    void moduleThatDoesNotFitTheOthers_isLoadedLater() {
        site.replaceFile("/chat/json.js", "export function parseAnotherWay() {}");
        ChatPage page = openIncomplete();

        site.haveAllFiles();

        assertBecomesLive(page);
    }

    @Test
    void pageOfAnotherVersion_isLoadedLater() {
        site.replaceFile(
                "/index.html",
                """
                <!doctype html>
                <script type="module" src="/chat.js"></script>
                <p id="status" role="status"></p>
                <button id="send">Send</button>
                <button id="retry">Try again</button>
                """);
        ChatPage page = openIncomplete();

        site.haveAllFiles();

        assertBecomesLive(page);
    }

    @Test
    void scriptThatKnowsNothingOfTheButton_canSend() {
        site.replaceFile("/chat.js", "document.body.dataset.ran = true;");

        ChatPage page = ChatPage.navigateToIncomplete(tab, site.uri());

        assertThat(tab.locator("body[data-ran]")).hasCount(1);
        assertThat(page.send()).isEnabled();
    }

    @Test
    void pageWithAText_isNotLoadedAnewUntilThePersonHasTakenIt() {
        ChatPage page = openWithoutModules();
        page.text().fill("Typed before the page worked");

        site.haveAllFiles();

        assertThat(page.status()).hasText(NOT_COMPLETE + " Copy your text, then try again.");
        assertThat(page.text()).hasValue("Typed before the page worked");
        page.text().fill("");
        assertBecomesLive(page);
    }

    @Test
    void pageThatIsNotServed_isNotLoadedAnewUntilItIs() {
        ChatPage page = openWithoutModules();
        // It is not loaded anew while there is a text.
        page.text().fill("Typed before the page worked");
        site.lackFiles(path -> true);
        page.text().fill("");

        tab.waitForResponse(response -> response.status() == 404, () -> {});
        tab.waitForResponse(response -> response.status() == 404, () -> {});

        assertThat(page.status()).containsText(NOT_COMPLETE);
        site.haveAllFiles();
        assertBecomesLive(page);
    }

    @Test
    void tryAgain_loadsThePageAtOnce_alsoWhenItNoLongerDoesSoByItself() {
        tab.addInitScript("sessionStorage['parley.reloads'] ??= 40");
        site.lackFiles(path -> path.startsWith("/chat/"));
        ChatPage page = ChatPage.navigateToIncomplete(tab, site.uri());
        assertThat(page.status()).hasText("This page could not be loaded completely.");

        site.haveAllFiles();
        page.button("Try again").click();

        assertBecomesLive(page);
    }

    @Test
    void clock_needsNoModules() {
        site.lackFiles(path -> path.startsWith("/chat/"));

        tab.navigate(site.uri().resolve("clock.html").toString());
        site.awaitStream().control("message", "2026-11-22T08:00:00Z");

        assertThat(tab.locator("#status")).hasText("Live");
    }

    private ChatPage openWithoutModules() {
        site.lackFiles(path -> path.startsWith("/chat/"));
        return openIncomplete();
    }

    private ChatPage openIncomplete() {
        ChatPage page = ChatPage.navigateToIncomplete(tab, site.uri());
        assertThat(page.status()).containsText(NOT_COMPLETE);
        assertThat(page.button("Try again")).isVisible();
        assertThat(page.send()).isDisabled();
        return page;
    }

    private static void assertBecomesLive(ChatPage page) {
        page.awaitLive();
        assertThat(page.send()).isEnabled();
        assertThat(page.button("Try again")).isHidden();
    }
}
