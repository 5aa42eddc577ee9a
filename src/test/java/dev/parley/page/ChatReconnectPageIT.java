package dev.parley.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Page;
import com.microsoft.playwright.Route;
import com.microsoft.playwright.assertions.LocatorAssertions.IsInViewportOptions;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The page while its pod is down and comes back, and while sending fails. */
class ChatReconnectPageIT extends PageBase {

    @AutoClose private static RedisServer redis;
    @AutoClose private static ParleyProcess steady;
    @AutoClose private static ParleyProcess mortal;

    private static final IsInViewportOptions WHOLE = new IsInViewportOptions().setRatio(1);

    @BeforeAll
    static void start() {
        redis = RedisServer.start();
        steady = ParleyProcess.start(redis).awaitReady();
        mortal = quick().redis(redis.uri()).start().awaitReady();
    }

    /** For the next test, if one has failed before it replaced the pod. */
    @AfterEach
    void replaceKilledPod() {
        if (!mortal.alive()) {
            mortal = mortal.replacement().awaitReady();
        }
    }

    /** A pod that can be replaced on the same port, and whose pages reconnect soon. */
    private static ParleyProcess.Builder quick() {
        return ParleyProcess.builder().fixedPort().quickReconnect();
    }

    @Test
    void podIsKilledAndReplaced_pageShowsEachMessageOnce() {
        ChatPage page = room.open(browser.tab(), mortal);
        page.say("Before").awaitMessage("Before");

        mortal.kill();
        page.awaitReconnecting();
        assertThat(page.status()).hasText("Reconnecting…");
        room.say(steady, "Meanwhile 1");
        room.say(steady, "Meanwhile 2");
        mortal = mortal.replacement();
        page.awaitLive();

        page.awaitMessage("Meanwhile 2");
        page.say("After").awaitMessage("After");
        assertThat(page.texts()).containsExactly("Before", "Meanwhile 1", "Meanwhile 2", "After");
    }

    @Test
    void podIsKilledAndReplaced_pageOfAnEmptyRoomMissesNothing() {
        ChatPage page = room.open(browser.tab(), mortal);

        mortal.kill();
        page.awaitReconnecting();
        room.say(steady, "The first of all");
        mortal = mortal.replacement();

        page.awaitLive().awaitMessage("The first of all");
        assertThat(page.log().locator(".divider")).hasCount(0);
        page.say("The second").awaitMessage("The second");
        assertThat(page.texts()).containsExactly("The first of all", "The second");
    }

    @Test
    void historyIsLost_pageSaysSo() {
        try (ParleyProcess forgetful = quick().start()) {
            ChatPage page = room.open(browser.tab(), forgetful);
            page.say("Soon forgotten").awaitMessage("Soon forgotten");

            forgetful.kill();
            page.awaitReconnecting();
            try (ParleyProcess replacement = forgetful.replacement()) {
                page.awaitLive();

                assertThat(page.log().getByText("Some earlier messages are no longer available"))
                        .isVisible();
                room.say(replacement, "A new start");
                page.awaitMessage("A new start");
                assertThat(page.texts()).containsExactly("A new start");
            }
        }
    }

    @Test
    void historyIsLost_pageShowsTheNewestOfWhatIsLeft() {
        try (ParleyProcess forgetful = quick().start()) {
            room.fill(forgetful, 40);
            ChatPage page = room.open(browser.tab(), forgetful);
            page.awaitMessage("Message 40");

            page.tab().route("**/events*", Route::abort);
            forgetful.kill();
            try (ParleyProcess replacement = forgetful.replacement()) {
                room.fill(replacement, 30);
                page.tab().unroute("**/events*");
                page.awaitLive().awaitMessage("Message 30");

                assertThat(page.messages()).hasCount(30);
                assertThat(page.messages().last()).isInViewport(WHOLE);
            }
        }
    }

    @Test
    void sendWhileThePodIsDown_keepsTheTextAndSucceedsLater() {
        ChatPage page = room.open(browser.tab(), mortal);
        mortal.kill();

        page.say("Important\nwords");

        assertThat(page.error()).containsText("Perhaps not sent: the server cannot be reached");
        assertThat(page.text()).hasValue("Important\nwords");

        mortal = mortal.replacement().awaitReady();
        page.awaitLive();
        page.text().press("Enter");

        assertThat(page.messages()).hasCount(1);
        assertThat(page.text()).hasValue("");
        assertThat(page.error()).isEmpty();
        page.say("More").awaitMessage("More");
        assertThat(page.texts()).containsExactly("Important\nwords", "More");
    }

    @Test
    void sendThatFailsAtOnce_leavesTheNewestMessageInView() {
        room.fill(mortal, 40);
        ChatPage page = room.open(browser.tab(device -> device.setViewportSize(390, 760)), mortal);
        page.awaitMessage("Message 40");
        page.text().fill("A draft\nof three\nlines");
        assertThat(page.messages().last()).isInViewport(WHOLE);

        page.tab()
                .evaluate(
                        """
                        () => {
                          window.fetch = () => Promise.reject(new TypeError("no network"));
                          document.getElementById("composer").requestSubmit();
                        }
                        """);

        assertThat(page.error()).containsText("Perhaps not sent");
        assertThat(page.messages().last()).isInViewport(WHOLE);
        room.say(steady, "News");
        page.awaitMessage("News");
        assertThat(page.messages().last()).isInViewport(WHOLE);
    }

    @Test
    void sendWhoseAnswerIsLost_isRepeatedAndPublishedOnce() {
        ChatPage page = room.open(browser.tab(), mortal);
        ChatPage other = room.open(browser.tab(), steady);
        page.tab()
                .route(
                        "**/send",
                        ChatReconnectPageIT::passOnAndLoseTheAnswer,
                        new Page.RouteOptions().setTimes(1));

        page.say("Once");

        assertThat(page.ownMessages()).hasText(new String[] {"Once"});
        assertThat(page.send()).not().hasAttribute("aria-busy", "true");
        page.say("The end").awaitMessage("The end");
        other.awaitMessage("The end");
        assertThat(page.error()).isEmpty();
        assertThat(page.texts()).containsExactly("Once", "The end");
        assertThat(other.texts()).containsExactly("Once", "The end");
    }

    @Test
    void sendWithoutAnyAnswer_isGivenBack_andPublishedOnceIfSentAgain() {
        ChatPage page = room.open(browser.tab(), mortal);
        page.tab().route("**/send", ChatReconnectPageIT::passOnAndLoseTheAnswer);

        page.say("Once").awaitMessage("Once");

        assertThat(page.error()).containsText("Perhaps not sent");
        assertThat(page.text()).hasValue("Once");
        page.tab().unroute("**/send");
        page.text().press("Enter");
        assertThat(page.ownMessages()).hasText(new String[] {"Once"});
        page.say("The end").awaitMessage("The end");
        assertThat(page.texts()).containsExactly("Once", "The end");
        assertThat(page.error()).isEmpty();
    }

    @Test
    void sendAnsweredBy503_isRepeated() {
        ChatPage page = room.open(browser.tab(), mortal);
        page.tab()
                .route(
                        "**/send",
                        route -> route.fulfill(new Route.FulfillOptions().setStatus(503)),
                        new Page.RouteOptions().setTimes(2));

        page.say("Sent");

        assertThat(page.ownMessages()).hasText(new String[] {"Sent"});
        assertThat(page.error()).isEmpty();
    }

    @Test
    void sendThatIsRefused_saysWhyAndKeepsTheText() {
        ChatPage page = room.open(browser.tab(), mortal);
        String long100k = "long ".repeat(20_000);

        page.say(long100k);

        assertThat(page.error()).containsText("Not sent: ");
        assertThat(page.error()).containsText("too large");
        assertThat(page.text()).hasValue(long100k);
        assertThat(page.messages()).hasCount(0);
    }

    @Test
    void textsWrittenWhileOneIsBeingSent_arriveInTheirOrder() {
        ChatPage page = room.open(browser.tab(), mortal);
        List<Route> held = new ArrayList<>();
        page.tab().route("**/send", held::add);

        page.say("one").say("two").say("three");
        page.tab().waitForCondition(() -> !held.isEmpty());
        page.tab().unroute("**/send");
        held.get(0).resume();

        page.awaitMessage("three");
        assertThat(held).hasSize(1);
        assertThat(page.texts()).containsExactly("one", "two", "three");
    }

    @Test
    void requestThatCanNeverSucceed_saysSoAndOffersToTryAgain() {
        Page tab = browser.tab();

        tab.navigate(mortal.uri("/?room=no%20room").toString());

        assertThat(tab.locator("#status")).hasAttribute("data-state", "closed");
        assertThat(tab.locator("#status")).containsText("Disconnected: ");
        assertThat(tab.locator("#retry")).isVisible();
    }

    private static void passOnAndLoseTheAnswer(Route route) {
        route.fetch();
        route.abort();
    }
}
