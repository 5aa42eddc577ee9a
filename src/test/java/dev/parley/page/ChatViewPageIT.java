package dev.parley.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What the page shows: scrolling, the keyboard, narrow screens, unusual text. */
class ChatViewPageIT extends PageBase {

    @AutoClose private static ParleyProcess pod;

    @BeforeAll
    static void start() {
        pod = ParleyProcess.start();
    }

    @Test
    void viewThatWasScrolledUp_staysAndShowsTheCountOfNewMessages() {
        room.fill(pod, 50);
        ChatPage page = room.open(browser.tab(), pod);
        page.awaitMessage("Message 50");
        assertThat(page.messages().last()).isInViewport();

        page.scrollUp(100_000);
        assertThat(page.messages().first()).isInViewport();
        page.tab().waitForCondition(() -> page.scrollTop() == 0);
        room.say(pod, "News");
        assertThat(page.button("1 new message")).isVisible();
        room.say(pod, "More news");

        assertThat(page.button("2 new messages")).isVisible();
        assertThat(page.messages().last()).hasText("More news");
        assertThat(page.messages().first()).isInViewport();
        assertThat(page.scrollTop()).isZero();

        page.newer().click();

        assertThat(page.messages().last()).isInViewport();
        assertThat(page.newer()).isHidden();
    }

    @Test
    void viewAtTheBottom_followsTheConversation() {
        room.fill(pod, 50);
        ChatPage page = room.open(browser.tab(), pod);
        page.awaitMessage("Message 50");

        room.say(pod, "News");

        page.awaitMessage("News");
        assertThat(page.messages().last()).isInViewport();
        assertThat(page.newer()).isHidden();
    }

    @Test
    void keyboard_reachesTheFirstMessageAndTheNewest() {
        room.fill(pod, 50);
        ChatPage page = room.open(browser.tab(), pod);
        page.awaitMessage("Message 50");
        var keyboard = page.tab().keyboard();

        keyboard.press("Tab");
        assertThat(page.tab().getByText("Clock")).isFocused();
        keyboard.press("Tab");
        assertThat(page.log()).isFocused();
        keyboard.press("Home");
        assertThat(page.messages().first()).isInViewport();
        page.awaitLeftBottom();

        room.say(pod, "News");
        assertThat(page.newer()).isVisible();
        keyboard.press("Tab");
        assertThat(page.newer()).isFocused();
        keyboard.press("Enter");
        assertThat(page.messages().last()).isInViewport();
        assertThat(page.log()).isFocused();
    }

    @Test
    void keyboard_entersANameAndSends() {
        ChatPage page = room.open(browser.tab(), pod);
        var keyboard = page.tab().keyboard();
        page.log().focus();

        keyboard.press("Tab");
        assertThat(page.name()).isFocused();
        keyboard.type("Ada");
        keyboard.press("Tab");
        assertThat(page.text()).isFocused();
        keyboard.type("By Enter");
        keyboard.press("Enter");
        page.awaitMessage("By Enter");
        keyboard.type("By button");
        keyboard.press("Tab");
        assertThat(page.send()).isFocused();
        keyboard.press("Space");

        page.awaitMessage("By button");
        assertThat(page.log().locator(".own .from").first()).hasText("Ada");
    }

    @Test
    void narrowPhone_doesNotScrollSideways() {
        Http http = new Http(pod.uri());
        http.sendForm("W".repeat(500), "room", room.name(), "from", "N".repeat(64));
        http.sendForm("https://example.org/" + "path/".repeat(60), "room", room.name());
        http.sendForm("x".repeat(60) + "\n\t\t\t\t" + "word ".repeat(60), "room", room.name());

        ChatPage page = room.open(browser.tab(device -> device.setViewportSize(320, 568)), pod);
        page.say("M".repeat(200));
        page.awaitMessage("M".repeat(200));

        assertThat(overflow(page.tab(), "html")).isZero();
        assertThat(overflow(page.tab(), "#messages")).isZero();
        assertThat(page.send()).isInViewport();
        assertThat(page.text()).isInViewport();
    }

    @Test
    void stackedCombiningMarks_doNotCoverOtherMessages() throws IOException {
        // 40 marks above and 40 below each letter, in the name too.
        String tall = ("a" + "\u0301".repeat(40) + "\u0323".repeat(40)).repeat(8);
        room.say(pod, "Ada", "Before");
        room.say(pod, "o" + "\u0301".repeat(30) + "\u0323".repeat(30), tall);
        room.say(pod, "Ben", "After");
        ChatPage page = room.open(browser.tab(), pod);
        page.awaitMessage("After");
        Locator item = page.log().locator(".message").nth(1);

        byte[] beforeWith = page.messages().first().screenshot();
        byte[] afterWith = page.messages().last().screenshot();
        item.evaluate("item => item.style.visibility = 'hidden'");
        byte[] beforeWithout = page.messages().first().screenshot();
        byte[] afterWithout = page.messages().last().screenshot();

        assertThat(changedPixels(beforeWith, beforeWithout)).isZero();
        assertThat(changedPixels(afterWith, afterWithout)).isZero();

        // Shows that the comparison can fail: without clipping the marks do cover the message.
        item.evaluate(
                """
                item => {
                  item.style.visibility = "visible";
                  item.querySelectorAll("*").forEach(e => e.style.overflow = "visible");
                }
                """);
        byte[] covered = page.messages().last().screenshot();
        assertThat(changedPixels(covered, afterWithout)).isPositive();
    }

    @Test
    void blankName_isShownAsAnonymous() {
        new Http(pod.uri()).sendForm("hello", "room", room.name(), "from", " ");

        ChatPage page = room.open(browser.tab(), pod);
        page.awaitMessage("hello");

        assertThat(page.authors().last()).hasText("Anonymous");
    }

    @Test
    void directionOverrideInAName_isMadeVisibleAndChangesNothingAroundIt() {
        room.say(pod, "\u202eadA\u202c\u2066", "Hello");
        room.say(pod, "\u05d3\u05e0\u05d4 1", "Shalom");

        ChatPage page = room.open(browser.tab(), pod);

        page.awaitMessage("Shalom");
        assertThat(page.authors())
                .hasText(new String[] {"\ufffdadA\ufffd\ufffd", "\u05d3\u05e0\u05d4 1"});
        assertThat(page.authors().last()).hasCSS("unicode-bidi", "isolate");
        assertThat(page.authors().last()).hasCSS("direction", "rtl");
        assertThat(page.log().locator("time").last()).hasCSS("direction", "ltr");
    }

    /**
     * Counts the pixels that look different in these two pictures of the same size. Chromium paints
     * the rounded corner of a bubble a shade or two lighter or darker from one picture to the next.
     * Such a difference is too small to be visible, and does not count.
     */
    private static long changedPixels(byte[] onePicture, byte[] otherPicture) throws IOException {
        BufferedImage one = ImageIO.read(new ByteArrayInputStream(onePicture));
        BufferedImage other = ImageIO.read(new ByteArrayInputStream(otherPicture));
        assertThat(one.getWidth()).isEqualTo(other.getWidth());
        assertThat(one.getHeight()).isEqualTo(other.getHeight());
        long changed = 0;
        for (int y = 0; y < one.getHeight(); y++) {
            for (int x = 0; x < one.getWidth(); x++) {
                Color before = new Color(one.getRGB(x, y));
                Color after = new Color(other.getRGB(x, y));
                if (Math.abs(before.getRed() - after.getRed()) > 8
                        || Math.abs(before.getGreen() - after.getGreen()) > 8
                        || Math.abs(before.getBlue() - after.getBlue()) > 8) {
                    changed++;
                }
            }
        }
        return changed;
    }

    /** Measures how many pixels wider the content of this element is than the element. */
    private static int overflow(Page tab, String selector) {
        Object pixels = tab.locator(selector).evaluate("e => e.scrollWidth - e.clientWidth");
        return ((Number) pixels).intValue();
    }
}
