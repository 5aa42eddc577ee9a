package dev.parley.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Browser;
import dev.parley.testsupport.ParleyProcess;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;

/** The page and what could be smuggled into it: markup in messages, scripts from elsewhere. */
class ChatPolicyPageIT {

    @AutoClose private static Browser browser;
    @AutoClose private static ParleyProcess pod;

    private ChatRoom room;

    @BeforeAll
    static void start() {
        browser = Browser.start();
        pod = ParleyProcess.start();
    }

    @BeforeEach
    void nameRoom(TestInfo test) {
        room = ChatRoom.of(test);
    }

    @AfterEach
    void closeTabs() {
        browser.closeTabs();
    }

    @Test
    void markup_isShownAsTextAndDoesNothing() {
        List<String> attempts =
                List.of(
                        "<script>alert('script')</script>",
                        "<img src=\"x\" onerror=\"alert('image')\">",
                        "<a href=\"javascript:alert('link')\">here</a> &amp; <b>bold</b>");
        ChatPage reader = room.open(browser.tab(), pod);
        ChatPage writer = room.open(browser.tab(), pod);

        writer.name().fill("<i onclick=alert(1)>");
        attempts.forEach(writer::say);
        writer.say("The end");

        reader.awaitMessage("The end");
        assertThat(reader.texts()).startsWith(attempts.toArray(String[]::new));
        assertThat(reader.log().locator(".from").first()).hasText("<i onclick=alert(1)>");
        assertThat(reader.log().locator("script, img, a, b, i")).hasCount(0);
        assertThat(reader.complaints()).isEmpty();
        assertThat(writer.complaints()).isEmpty();
    }

    @Test
    void policy_isStrictAndThePageKeepsIt() {
        ChatPage page = room.open(browser.tab(), pod);

        page.say("A whole conversation");
        page.awaitMessage("A whole conversation");
        page.tab().reload();
        page.awaitMessage("A whole conversation");

        assertThat(page.response().headerValue("Content-Security-Policy"))
                .contains("default-src 'none'", "script-src 'self'")
                .doesNotContain("unsafe");
        assertThat(page.complaints()).isEmpty();
    }

    @Test
    void policy_refusesAScriptThatGotIntoThePage() {
        ChatPage page = room.open(browser.tab(), pod);

        page.tab()
                .waitForConsoleMessage(
                        () ->
                                page.tab()
                                        .evaluate(
                                                """
                                                () => {
                                                  const script = document.createElement("script");
                                                  script.textContent = "window.intruded = true";
                                                  document.body.append(script);
                                                }
                                                """));

        assertThat(page.complaints())
                .singleElement()
                .asString()
                .contains("Content Security Policy");
        assertThat(page.tab().evaluate("() => window.intruded")).isNull();
    }
}
