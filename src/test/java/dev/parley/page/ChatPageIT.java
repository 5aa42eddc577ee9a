package dev.parley.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.APIResponse;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Route;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Chatting on the page, between two pods on one Redis. */
class ChatPageIT extends PageBase {

    @AutoClose private static RedisServer redis;
    @AutoClose private static ParleyProcess left;
    @AutoClose private static ParleyProcess right;

    @BeforeAll
    static void start() {
        redis = RedisServer.start();
        left = ParleyProcess.start(redis);
        right = ParleyProcess.start(redis);
        left.awaitReady();
        right.awaitReady();
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
        assertThat(ada.ownMessages()).hasText(new String[] {"Hello, who is there?", "Good."});
        assertThat(ben.authors().first()).hasText("Ada");
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
    void pageThatIsOpenedLater_showsWhatWasSaidBefore() {
        room.say(right, "Before the page was opened");

        ChatPage late = room.open(browser.tab(), left);

        late.awaitMessage("Before the page was opened");
        ChatPage.reload(late.tab());
        late.awaitMessage("Before the page was opened");
        assertThat(late.texts()).containsExactly("Before the page was opened");
    }

    @Test
    void linesAndEmoji_arriveUnchanged() {
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
    void enter_sendsAndShiftEnterStartsALine() {
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
    void blankText_isNotSent() {
        ChatPage page = room.open(browser.tab(), left);

        page.say("  \n ");
        page.text().fill("");
        page.say("something");

        page.awaitMessage("something");
        assertThat(page.texts()).containsExactly("something");
    }

    @Test
    void messageThatArrivesBeforeItsReceipt_isNeverShownAsAnotherPersons() {
        ChatPage page = room.open(browser.tab(), left);
        List<Route> unanswered = new ArrayList<>();
        List<APIResponse> answers = new ArrayList<>();
        page.tab()
                .route(
                        "**/send",
                        route -> {
                            answers.add(route.fetch());
                            unanswered.add(route);
                        });
        room.say(right, "Ada", "Hello");
        page.awaitMessage("Hello").name().fill("Ada");

        page.say("Hello").tab().waitForCondition(() -> !unanswered.isEmpty());
        assertThat(page.messages()).hasText(new String[] {"Hello", "Hello"});
        assertThat(page.undecidedMessages()).hasText(new String[] {"Hello"});
        assertThat(page.log().locator(".message").last()).hasCSS("align-self", "flex-end");
        assertThat(page.ownMessages()).hasCount(0);
        unanswered.get(0).fulfill(new Route.FulfillOptions().setResponse(answers.get(0)));

        assertThat(page.ownMessages()).hasText(new String[] {"Hello"});
        assertThat(page.undecidedMessages()).hasCount(0);
    }

    @Test
    void messageWhoseReceiptNeverComes_isNotUndecidedForGood() {
        ChatPage page = room.open(browser.tab(), left);
        page.tab()
                .route(
                        "**/send",
                        route -> {
                            route.fetch();
                            route.abort();
                        });

        page.say("Hello").awaitMessage("Hello");

        assertThat(page.send()).not().hasAttribute("aria-busy", "true");
        assertThat(page.undecidedMessages()).hasCount(0);
    }

    @Test
    void equalMessageOfAnotherPersonWithTheSameName_isNotShownAsOwn() {
        ChatPage page = room.open(browser.tab(), left);
        List<Route> held = new ArrayList<>();
        page.tab().route("**/send", held::add);
        page.name().fill("Ada");
        page.say("ok");
        page.tab().waitForCondition(() -> !held.isEmpty());

        room.say(right, "Ada", "ok");
        page.awaitMessage("ok");
        room.say(right, "Ben", "That was the other Ada");
        page.awaitMessage("That was the other Ada");
        assertThat(page.ownMessages()).hasCount(0);
        held.get(0).resume();

        assertThat(page.ownMessages()).hasCount(1);
        assertThat(page.undecidedMessages()).hasCount(0);
        assertThat(page.messages()).hasText(new String[] {"ok", "That was the other Ada", "ok"});
        assertThat(page.log().locator(".own")).hasText(Pattern.compile("you"));
        assertThat(page.log().locator(".message").last()).hasClass(Pattern.compile("\\bown\\b"));
    }

    @Test
    void textWithoutAnId_isNotShownAsOwnAfterAnOwnMessage() {
        ChatPage page = ChatPage.open(browser.tab(), left, "lobby");
        page.say("Mine");
        assertThat(page.ownMessages()).hasText(new String[] {"Mine"});

        redis.command("PUBLISH", "chat", "From another program");

        page.awaitMessage("From another program");
        assertThat(page.ownMessages()).hasText(new String[] {"Mine"});
    }

    @Test
    void ownMessages_areShownAsOwnAfterAReload() {
        ChatPage page = room.open(browser.tab(), left);
        page.say("Mine");
        assertThat(page.ownMessages()).hasText(new String[] {"Mine"});
        room.say(right, "Not mine");

        ChatPage.reload(page.tab());

        page.awaitMessage("Not mine");
        assertThat(page.ownMessages()).hasText(new String[] {"Mine"});
    }

    @Test
    void longestNameThatTheServerAccepts_canBeEntered() {
        ChatPage page = room.open(browser.tab(), left);
        String longest = "👩".repeat(31) + "ab";
        assertThat(room.sendAs(left, longest + "c").status()).isEqualTo(400);

        page.name().fill("");
        page.name().pressSequentially(longest + "c");
        page.say("Hello");

        assertThat(page.name()).hasValue(longest);
        page.awaitMessage("Hello");
        assertThat(page.authors()).hasText(new String[] {longest});
    }

    @Test
    void messagesWithAnEventType_takeNoPlaceInTheHistory() {
        room.fill(left, 60);
        room.alert(left, 120);
        room.say(left, "The newest");
        room.alert(left, 10);

        ChatPage page = room.open(browser.tab(), right);
        room.alert(left, 1);
        room.say(left, "Live");

        page.awaitMessage("Live");
        List<String> expected = new ArrayList<>(numbered("Message", 60).subList(11, 60));
        expected.addAll(List.of("The newest", "Live"));
        assertThat(page.texts()).isEqualTo(expected);
    }

    @Test
    void historyThatCannotBeRead_comesOnTheStream() {
        room.fill(left, 60);
        Page tab = browser.tab();
        tab.route("**/rooms/**", Route::abort);

        ChatPage page = room.open(tab, left);

        page.awaitMessage("Message 60");
        assertThat(page.texts()).isEqualTo(numbered("Message", 60).subList(10, 60));
    }

    @Test
    void historyOfWhichOnlyTheNewestPageCanBeRead_isShownAsFarAsItWasRead() {
        room.fill(left, 60);
        room.alert(left, 60);
        Page tab = browser.tab();
        tab.route("**/rooms/**before=**", Route::abort);

        ChatPage page = room.open(tab, left);

        page.awaitMessage("Message 60");
        assertThat(page.texts()).isEqualTo(numbered("Message", 60).subList(20, 60));
        room.say(right, "Live");
        page.awaitMessage("Live");
    }

    /** As in a room where the time of many messages is over. */
    @Test
    void emptyPageOfTheHistory_isNotTakenForTheEnd() {
        room.fill(left, 60);
        String newest =
                new Http(left.uri())
                        .get("/rooms/" + room.name() + "/messages?limit=1")
                        .header("Event-Id");
        Page tab = browser.tab();
        String empty =
                "{\"messages\":[],\"before\":\"%s\",\"after\":\"%s\",\"gap\":false}"
                        .formatted(newest, newest);
        tab.route(
                "**/rooms/**",
                route -> {
                    if (route.request().url().contains("before=")) {
                        route.resume();
                    } else {
                        route.fulfill(new Route.FulfillOptions().setBody(empty));
                    }
                });

        ChatPage page = room.open(tab, left);

        page.awaitMessage("Message 59");
        assertThat(page.texts()).isEqualTo(numbered("Message", 60).subList(9, 59));
    }

    private static List<String> numbered(String what, int count) {
        return IntStream.rangeClosed(1, count).mapToObj(i -> what + " " + i).toList();
    }
}
