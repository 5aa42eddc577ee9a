package dev.parley.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.ParleyProcess;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Markup in messages and scripts from elsewhere, which the page must not run. */
class ChatPolicyPageIT extends PageBase {

    @AutoClose private static ParleyProcess pod;

    @BeforeAll
    static void start() {
        pod = ParleyProcess.start();
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
        assertThat(reader.errors()).isEmpty();
        assertThat(writer.errors()).isEmpty();
    }

    @Test
    void policy_isStrictAndThePageComplies() {
        ChatPage page = room.open(browser.tab(), pod);

        page.say("A message");
        page.awaitMessage("A message");
        ChatPage.reload(page.tab());
        page.awaitMessage("A message");

        assertThat(page.response().headerValue("Content-Security-Policy"))
                .contains("default-src 'none'", "script-src 'self'")
                .doesNotContain("unsafe");
        assertThat(page.errors()).isEmpty();
    }

    @Test
    void policy_refusesAnInlineScript() {
        ChatPage page = room.open(browser.tab(), pod);

        page.tab()
                .waitForConsoleMessage(
                        () ->
                                page.tab()
                                        .evaluate(
                                                """
                                                () => {
                                                  const script = document.createElement("script");
                                                  script.textContent = "window.scriptRan = true";
                                                  document.body.append(script);
                                                }
                                                """));

        assertThat(page.errors()).singleElement().asString().contains("Content Security Policy");
        assertThat(page.tab().evaluate("() => window.scriptRan")).isNull();
    }
}
