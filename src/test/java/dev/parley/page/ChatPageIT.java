package dev.parley.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Page;
import dev.parley.testsupport.Browser;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;

/** Chatting on the page, between two pods on one Redis. */
class ChatPageIT {

    @AutoClose private static Browser browser;
    @AutoClose private static RedisServer redis;
    @AutoClose private static ParleyProcess left;
    @AutoClose private static ParleyProcess right;

    private String room;

    @BeforeAll
    static void start() {
        browser = Browser.start();
        redis = RedisServer.start();
        left = ParleyProcess.start(redis);
        right = ParleyProcess.start(redis);
        left.awaitReady();
        right.awaitReady();
    }

    @BeforeEach
    void nameRoom(TestInfo test) {
        room = test.getTestMethod().orElseThrow().getName();
    }

    @AfterEach
    void closeTabs() {
        browser.closeTabs();
    }

    @Test
    void twoTabs_onTwoPods_talkWithEachOther() {
        ChatPage ada = ChatPage.open(browser.tab(), left, room);
        ChatPage ben = ChatPage.open(browser.tab(), right, room);

        ada.name().fill("Ada");
        ada.say("Hello, who is there?");
        ben.awaitMessage("Hello, who is there?");
        ben.name().fill("Ben");
        ben.say("Ben is.");
        ada.awaitMessage("Ben is.");
        ada.say("Good.");
        ada.awaitMessage("Good.");
        ben.awaitMessage("Good.");

        List<String> conversation = List.of("Hello, who is there?", "Ben is.", "Good.");
        assertThat(ada.texts()).isEqualTo(conversation);
        assertThat(ben.texts()).isEqualTo(conversation);
        assertThat(ada.log().locator(".own .text"))
                .hasText(new String[] {"Hello, who is there?", "Good."});
        assertThat(ben.log().locator(".from").first()).hasText("Ada");
        assertThat(ada.status()).hasText("Live");
        assertThat(ben.status()).hasText("Live");
    }

    @Test
    void tabsThatTalkAtOnce_showTheSameOrder() {
        ChatPage ada = ChatPage.open(browser.tab(), left, room);
        ChatPage ben = ChatPage.open(browser.tab(), right, room);

        for (int i = 1; i <= 10; i++) {
            ada.say("Ada " + i);
            ben.say("Ben " + i);
        }
        assertThat(ada.messages()).hasCount(20);
        assertThat(ben.messages()).hasCount(20);

        assertThat(ada.texts()).isEqualTo(ben.texts());
        assertThat(ada.texts().stream().filter(text -> text.startsWith("Ada")))
                .containsExactlyElementsOf(numbered("Ada", 10));
        assertThat(ada.texts().stream().filter(text -> text.startsWith("Ben")))
                .containsExactlyElementsOf(numbered("Ben", 10));
    }

    @Test
    void whoeverComesLater_seesWhatWasSaidBefore() {
        new Http(right.uri()).sendForm("Before anybody came", "room", room);

        ChatPage late = ChatPage.open(browser.tab(), left, room);

        late.awaitMessage("Before anybody came");
        late.tab().reload();
        late.awaitMessage("Before anybody came");
        assertThat(late.texts()).containsExactly("Before anybody came");
    }

    @Test
    void markup_isShownAsTextAndDoesNothing() {
        List<String> attempts =
                List.of(
                        "<script>alert('script')</script>",
                        "<img src=\"x\" onerror=\"alert('image')\">",
                        "<a href=\"javascript:alert('link')\">here</a> &amp; <b>bold</b>");
        ChatPage reader = ChatPage.open(browser.tab(), right, room);
        ChatPage writer = ChatPage.open(browser.tab(), left, room);

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
    void linesAndEmoji_arriveAsTheyWereWritten() {
        String text = "  First line\n\n\tindented 👩‍👩‍👧‍👦 🏳️‍🌈\nשלום, 你好 – “é” and e\u0301 ";
        ChatPage reader = ChatPage.open(browser.tab(), right, room);
        ChatPage writer = ChatPage.open(browser.tab(), left, room);

        writer.say(text);

        assertThat(reader.messages()).hasCount(1);
        assertThat(writer.messages()).hasCount(1);
        assertThat(reader.texts()).containsExactly(text);
        assertThat(writer.texts()).containsExactly(text);
        assertThat(reader.messages().first()).hasCSS("white-space-collapse", "preserve");
    }

    @Test
    void enterSends_shiftEnterStartsALine() {
        ChatPage page = ChatPage.open(browser.tab(), left, room);

        page.text().pressSequentially("one");
        page.text().press("Shift+Enter");
        page.text().pressSequentially("two");

        assertThat(page.text()).hasValue("one\ntwo");
        assertThat(page.messages()).hasCount(0);

        page.text().press("Enter");

        assertThat(page.messages()).hasCount(1);
        assertThat(page.texts()).containsExactly("one\ntwo");
        assertThat(page.text()).hasValue("");
    }

    @Test
    void nothingButSpace_isNotSent() {
        ChatPage page = ChatPage.open(browser.tab(), left, room);

        page.say("  \n ");
        page.text().fill("");
        page.say("something");

        page.awaitMessage("something");
        assertThat(page.texts()).containsExactly("something");
    }

    @Test
    void readerWhoScrolledUp_isNotMovedAndIsToldOfNewMessages() {
        fill(50);
        ChatPage page = ChatPage.open(browser.tab(), left, room);
        page.awaitMessage("Message 50");
        assertThat(page.messages().last()).isInViewport();

        page.scrollUp(100_000);
        assertThat(page.messages().first()).isInViewport();
        page.tab().waitForCondition(() -> page.scrollTop() == 0);
        new Http(right.uri()).sendForm("News", "room", room);
        assertThat(page.button("1 new message")).isVisible();
        new Http(right.uri()).sendForm("More news", "room", room);

        assertThat(page.button("2 new messages")).isVisible();
        assertThat(page.messages().last()).hasText("More news");
        assertThat(page.messages().first()).isInViewport();
        assertThat(page.scrollTop()).isZero();

        page.newer().click();

        assertThat(page.messages().last()).isInViewport();
        assertThat(page.newer()).isHidden();
    }

    @Test
    void readerAtTheBottom_followsTheConversation() {
        fill(50);
        ChatPage page = ChatPage.open(browser.tab(), left, room);
        page.awaitMessage("Message 50");

        new Http(right.uri()).sendForm("News", "room", room);

        page.awaitMessage("News");
        assertThat(page.messages().last()).isInViewport();
        assertThat(page.newer()).isHidden();
    }

    @Test
    void keyboard_isEnough() {
        fill(50);
        ChatPage page = ChatPage.open(browser.tab(), left, room);
        page.awaitMessage("Message 50");
        var keyboard = page.tab().keyboard();

        keyboard.press("Tab");
        assertThat(page.tab().getByText("Clock")).isFocused();
        keyboard.press("Tab");
        assertThat(page.log()).isFocused();
        keyboard.press("Home");
        assertThat(page.messages().first()).isInViewport();
        page.awaitLeftBottom();
        new Http(right.uri()).sendForm("News", "room", room);
        assertThat(page.newer()).isVisible();
        keyboard.press("Tab");
        assertThat(page.newer()).isFocused();
        keyboard.press("Enter");
        assertThat(page.messages().last()).isInViewport();
        assertThat(page.log()).isFocused();

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
    void policy_isStrictAndThePageKeepsIt() {
        ChatPage page = ChatPage.open(browser.tab(), left, room);

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
        ChatPage page = ChatPage.open(browser.tab(), left, room);

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

    @Test
    void narrowPhone_hasNothingToScrollSideways() {
        Http http = new Http(left.uri());
        http.sendForm("W".repeat(500), "room", room, "from", "N".repeat(40));
        http.sendForm("https://example.org/" + "path/".repeat(60), "room", room);
        http.sendForm("x".repeat(60) + "\n\t\t\t\t" + "word ".repeat(60), "room", room);

        ChatPage page =
                ChatPage.open(browser.tab(device -> device.setViewportSize(320, 568)), left, room);
        page.say("M".repeat(200));
        page.awaitMessage("M".repeat(200));

        assertThat(overflow(page.tab(), "html")).isZero();
        assertThat(overflow(page.tab(), "#messages")).isZero();
        assertThat(page.send()).isInViewport();
        assertThat(page.text()).isInViewport();
    }

    /** How many pixels of this element lie beside what is visible of it. */
    private static int overflow(Page tab, String selector) {
        Object pixels = tab.locator(selector).evaluate("e => e.scrollWidth - e.clientWidth");
        return ((Number) pixels).intValue();
    }

    private void fill(int count) {
        Http http = new Http(left.uri());
        numbered("Message", count).forEach(text -> http.sendForm(text, "room", room));
    }

    private static List<String> numbered(String what, int count) {
        return IntStream.rangeClosed(1, count).mapToObj(i -> what + " " + i).toList();
    }
}
