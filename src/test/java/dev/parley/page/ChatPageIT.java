package dev.parley.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Browser;
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

    private ChatRoom room;

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
        room = ChatRoom.of(test);
    }

    @AfterEach
    void closeTabs() {
        browser.closeTabs();
    }

    @Test
    void twoTabs_onTwoPods_talkWithEachOther() {
        ChatPage ada = room.open(browser.tab(), left);
        ChatPage ben = room.open(browser.tab(), right);

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
        ChatPage ada = room.open(browser.tab(), left);
        ChatPage ben = room.open(browser.tab(), right);

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
        room.say(right, "Before anybody came");

        ChatPage late = room.open(browser.tab(), left);

        late.awaitMessage("Before anybody came");
        late.tab().reload();
        late.awaitMessage("Before anybody came");
        assertThat(late.texts()).containsExactly("Before anybody came");
    }

    @Test
    void linesAndEmoji_arriveAsTheyWereWritten() {
        String text = "  First line\n\n\tindented 👩‍👩‍👧‍👦 🏳️‍🌈\nשלום, 你好 – “é” and e\u0301 ";
        ChatPage reader = room.open(browser.tab(), right);
        ChatPage writer = room.open(browser.tab(), left);

        writer.say(text);

        assertThat(reader.messages()).hasCount(1);
        assertThat(writer.messages()).hasCount(1);
        assertThat(reader.texts()).containsExactly(text);
        assertThat(writer.texts()).containsExactly(text);
        assertThat(reader.messages().first()).hasCSS("white-space-collapse", "preserve");
    }

    @Test
    void enterSends_shiftEnterStartsALine() {
        ChatPage page = room.open(browser.tab(), left);

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
        ChatPage page = room.open(browser.tab(), left);

        page.say("  \n ");
        page.text().fill("");
        page.say("something");

        page.awaitMessage("something");
        assertThat(page.texts()).containsExactly("something");
    }

    private static List<String> numbered(String what, int count) {
        return IntStream.rangeClosed(1, count).mapToObj(i -> what + " " + i).toList();
    }
}
