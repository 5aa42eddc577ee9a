package dev.parley.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Clock;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Route;
import dev.parley.delivery.DisconnectReason;
import dev.parley.testsupport.Timeouts;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The page on event streams that the test writes: ids, heartbeats, silence, goodbyes. The page's
 * clock moves only when the test moves it.
 */
class ChatStreamPageIT extends PageBase {

    /** Counts what the page has received, to know when to move its clock. */
    private static final String COUNT_EVENTS =
            """
            window.heartbeats = 0;
            window.positions = 0;
            window.EventSource = class extends EventSource {
              constructor(url) {
                super(url);
                this.addEventListener("heartbeat", () => window.heartbeats++);
                this.addEventListener("position", () => window.positions++);
              }
            };
            """;

    @AutoClose private final ScriptedSite site = ScriptedSite.start();

    private Page tab;
    private ChatPage page;
    private ScriptedSite.Stream stream;
    private int heartbeats;

    @BeforeEach
    void openPage() {
        tab = browser.tab();
        tab.addInitScript(COUNT_EVENTS);
        tab.clock().install(new Clock.InstallOptions().setTime("2026-01-01T00:00:00Z"));
        tab.clock().pauseAt("2026-01-01T01:00:00Z");
        page = ChatPage.navigate(tab, site.uri());
        stream = site.awaitStream();
    }

    @Test
    void idsThatWereReceivedBefore_areShownOnce() {
        stream.message("e-1", "one").message("e-9", "nine").message("e-10", "ten");
        stream.message("e-9", "nine").message("e-1", "one").message("e-10", "ten");
        stream.message("e-999999999999999998", "many").message("e-999999999999999999", "more");
        stream.message("e-999999999999999998", "many").message("e-1000", "old");
        stream.message("f-1", "another epoch").message("f-2", "the end");

        page.awaitMessage("the end");
        assertThat(page.texts())
                .containsExactly("one", "nine", "ten", "many", "more", "another epoch", "the end");
    }

    /** Otherwise a page that is left soon would come back without a position. */
    @Test
    void position_isWhereThePageResumes_beforeTheFirstMessage() {
        stream.position("e-5");
        tab.waitForFunction("() => window.positions === 1");
        tab.clock().fastForward(5_000);
        page.awaitLive();

        tab.evaluate("() => dispatchEvent(new Event('online'))");

        assertThat(site.awaitStream().query()).contains("lastEventId=e-5");
    }

    @Test
    void positionAfterAGap_isWhereThePageResumes_ifNothingIsRetained() {
        stream.control("gap", "{}").position("f-9");
        tab.waitForFunction("() => window.positions === 1");

        tab.evaluate("() => dispatchEvent(new Event('online'))");

        assertThat(site.awaitStream().query()).contains("lastEventId=f-9");
    }

    @Test
    void textsWithoutAnId_areAllShown() {
        stream.plain("before the first id").message("e-1", "one");
        stream.plain("after it").plain("after it").message("e-1", "one").message("e-2", "two");

        page.awaitMessage("two");
        assertThat(page.texts())
                .containsExactly("before the first id", "one", "after it", "after it", "two");
    }

    @Test
    void gap_startsOver() {
        stream.message("e-1", "one").message("e-2", "two");
        page.awaitMessage("two");

        stream.control("gap", "{}").message("e-1", "one again").message("e-2", "two again");

        page.awaitMessage("two again");
        assertThat(page.texts()).containsExactly("one again", "two again");
    }

    @Test
    void gapWhoseMessagesFollowThoseOnThePage_keepsThem_andIsShownBetween() {
        stream.message("e-1", "one").message("e-2", "two");
        page.awaitMessage("two");

        stream.control("gap", gap("e-2", "\"e-4\"", "e-4")).position("e-3");
        stream.message("e-4", "four");

        page.awaitMessage("four");
        assertThat(page.texts()).containsExactly("one", "two", "four");
        assertThat(page.log().locator("li"))
                .hasText(
                        new Pattern[] {
                            Pattern.compile("one"),
                            Pattern.compile("two"),
                            Pattern.compile("no longer available"),
                            Pattern.compile("four")
                        });
        assertThat(page.log().locator(".continued .text")).hasText(new String[] {"two"});
    }

    @Test
    void gapAfterWhichNothingIsRetained_keepsWhatIsOnThePage() {
        stream.message("e-1", "one").message("e-2", "two");
        page.awaitMessage("two");

        stream.control("gap", gap("e-2", "null", "e-4")).position("e-4");
        stream.message("e-5", "five");

        page.awaitMessage("five");
        assertThat(page.texts()).containsExactly("one", "two", "five");
    }

    /** As after a failover, when the server begins again at its oldest message. */
    @Test
    void gapWhoseMessagesThePageHas_showsEachOfThemOnce() {
        stream.message("e-8", "eight").message("e-9", "nine").plain("no id");
        stream.message("e-10", "ten").message("e-11", "lost");
        page.awaitMessage("lost");

        stream.control("gap", gap("e-11", "\"e-9\"", "f-12")).position("e-8");
        stream.message("e-9", "nine").message("e-10", "ten").message("f-11", "eleven");
        stream.message("f-12", "twelve");

        page.awaitMessage("twelve");
        assertThat(page.texts()).containsExactly("eight", "nine", "ten", "eleven", "twelve");
    }

    @ParameterizedTest
    @CsvSource({"e-2, f-1, f-9", "e-2, e-1, e-9", "nonsense, e-3, e-9"})
    void gapToMessagesOfAnotherLog_orToAllOfThem_startsOver(
            String requested, String oldest, String newest) {
        stream.message("e-1", "one").message("e-2", "two");
        page.awaitMessage("two");

        stream.control("gap", gap(requested, "\"" + oldest + "\"", newest));
        stream.message(oldest, "the first").message(newest, "the last");

        page.awaitMessage("the last");
        assertThat(page.texts()).containsExactly("the first", "the last");
    }

    @Test
    void messagesOfYesterday_haveTheirDay_onceThereIsOneOfToday() {
        sayLastMinuteOfADay();

        tab.clock().fastForward(86_400_000);
        stream.message("e-2", "today");

        page.awaitMessage("today");
        assertThat(page.log().locator("time"))
                .hasText(new Pattern[] {Pattern.compile("Jan.*23:59"), Pattern.compile("^23:59$")});
    }

    @Test
    void messagesOfYesterday_haveTheirDay_whenThePageIsSeenAgain() {
        sayLastMinuteOfADay();
        tab.clock().fastForward(86_400_000);

        becomeVisible();

        assertThat(page.log().locator("time")).hasText(Pattern.compile("Jan.*23:59"));
        assertThat(page.log()).hasAttribute("aria-relevant", "additions");
    }

    @Test
    void connectionThatFallsSilent_isReplacedAndResumed() {
        stream.message("e-1", "one").message("e-2", "alert", "not for the page");
        heartbeat();
        page.awaitMessage("one").awaitLive();
        assertThat(stream.query()).contains("heartbeat=event").contains("lastEventId=e-0");

        assertReplacedAfter(20_000);
        ScriptedSite.Stream next = site.awaitStream();
        assertThat(next.query()).contains("lastEventId=e-2");
        Timeouts.await("the silent stream is closed").until(stream::isClosed);
        next.control("resumed", "{}").message("e-3", "three");
        page.awaitMessage("three").awaitLive();
        assertThat(page.texts()).containsExactly("one", "three");
    }

    @Test
    void heartbeatsAndMessages_keepAConnection() {
        heartbeat();
        for (int i = 1; i <= 3; i++) {
            tab.clock().fastForward(15_000);
            heartbeat();
            tab.clock().fastForward(15_000);
            stream.message("e-" + i, "Message " + i);
            page.awaitMessage("Message " + i);
        }

        page.awaitLive();
        assertThat(site.hasAnotherStream()).isFalse();
    }

    @Test
    void serverThatPausesForLonger_isGivenMoreTime() {
        stream.message("e-1", "one");
        page.awaitMessage("one");
        tab.clock().fastForward(30_000);
        heartbeat();

        assertReplacedAfter(75_000);
        assertThat(site.awaitStream().query()).contains("lastEventId=e-1");
    }

    @Test
    void pauseThatTheHeartbeatNames_isTheOneThatThePageWaitsFor() {
        heartbeat("{\"seconds\":40}");
        tab.clock().fastForward(99_000);
        page.awaitLive();
        heartbeat("{\"seconds\":4}");

        assertReplacedAfter(10_000);
        site.awaitStream();
    }

    @Test
    void connectionThatFallsSilentBeforeItsFirstHeartbeat_isReplaced() {
        stream.control("position", "{}").message("e-1", "one");
        page.awaitMessage("one");

        assertReplacedAfter(65_000);
        assertThat(site.awaitStream().query()).contains("lastEventId=e-1");
    }

    @Test
    void connectionThatIsNotAnswered_isReplaced() {
        stream.message("e-1", "one");
        heartbeat();
        site.holdStreams();
        tab.clock().fastForward(20_000);
        assertThat(page.status()).hasText("Reconnecting…");
        site.awaitHeldStream();

        tab.clock().fastForward(19_999);
        assertThat(site.hasAnotherHeldStream()).isFalse();
        tab.clock().fastForward(1);

        site.awaitHeldStream();
        assertThat(page.status()).hasText("Reconnecting…");
    }

    @Test
    void connectionThatTheBrowserOpensAgain_isReplacedIfItIsNotAnswered() {
        stream.message("e-1", "one");
        page.awaitMessage("one");
        site.holdStreams();
        stream.end();
        assertThat(page.status()).hasText("Reconnecting…");
        site.awaitHeldStream();

        // Not sooner: the server may have asked for a longer pause than by default.
        tab.clock().fastForward(59_999);
        assertThat(site.hasAnotherHeldStream()).isFalse();
        tab.clock().fastForward(1);

        assertThat(site.awaitHeldStream()).contains("lastEventId=e-1");
    }

    @Test
    void firstConnection_isReplacedIfItIsNotAnswered() {
        site.holdStreams();
        Page other = browser.tab();
        other.clock().install(new Clock.InstallOptions().setTime("2026-01-01T00:00:00Z"));
        other.clock().pauseAt("2026-01-01T01:00:00Z");
        ChatPage waiting = ChatPage.navigate(other, site.uri());
        site.awaitHeldStream();
        assertThat(waiting.status()).hasText("Connecting…");

        other.clock().fastForward(19_999);
        assertThat(site.hasAnotherHeldStream()).isFalse();
        other.clock().fastForward(1);

        site.awaitHeldStream();
        assertThat(waiting.status()).hasText("Connecting…");
    }

    @Test
    void statusIsNotLive_whileThePageOpensItsConnectionAnewAfterALongSleep() {
        stream.message("e-1", "one");
        page.awaitMessage("one").awaitLive();
        site.holdStreams();

        tab.evaluate("() => dispatchEvent(new Event('online'))");

        assertThat(page.status()).hasText("Reconnecting…");
        site.awaitHeldStream();
    }

    @Test
    void serverThatSendsCommentsOnly_isNotTakenForDead() {
        stream.message("e-1", "one");
        page.awaitMessage("one");

        tab.clock().fastForward(3_600_000);

        page.awaitLive();
        assertThat(site.hasAnotherStream()).isFalse();
        stream.message("e-2", "two");
        page.awaitMessage("two");
    }

    @Test
    void tabThatWasOpenedInTheBackground_keepsItsStreamWhenItIsSeen() {
        stream.control("resumed", "{}");
        page.awaitLive();

        becomeVisible();

        stream.message("e-1", "one");
        page.awaitMessage("one").awaitLive();
        assertThat(site.hasAnotherStream()).isFalse();
    }

    @Test
    void pageThatComesBackOutOfTheBrowsersCache_opensOneStream() {
        stream.message("e-1", "one");
        page.awaitMessage("one").awaitLive();
        page.leave();
        tab.clock().fastForward(200_000);

        page.comeBack();
        becomeVisible();

        site.awaitStream().control("resumed", "{}").message("e-2", "two");
        page.awaitMessage("two").awaitLive();
        assertThat(site.hasAnotherStream()).isFalse();
    }

    @Test
    void gap_whileTheButtonForNewMessagesHasTheFocus_leavesItInTheConversation() {
        for (int i = 1; i <= 50; i++) {
            stream.message("e-" + i, "Message " + i);
        }
        page.awaitMessage("Message 50").awaitLive();
        // For the frame of the browser in which the page scrolls down.
        tab.clock().runFor(100);
        assertThat(page.log()).hasClass("following");
        page.scrollUp(10_000);
        stream.message("e-51", "News");
        assertThat(page.newer()).isVisible();
        page.newer().focus();
        assertThat(page.newer()).isFocused();

        stream.control("gap", "{}").message("e-60", "after the gap");

        page.awaitMessage("after the gap");
        assertThat(page.newer()).isHidden();
        assertThat(page.log()).isFocused();
    }

    @Test
    void refusal_isTriedAgainWhenThePageIsSeen_butNotAtOnce() {
        AtomicInteger refused = refuseStreams();
        assertThat(refused).hasValue(2);
        tab.clock().fastForward(9_999);
        becomeVisible();
        assertThat(page.status()).containsText("Disconnected: ");
        tab.clock().fastForward(1);

        becomeVisible();

        tab.waitForCondition(() -> refused.get() == 4);
        assertThat(page.status()).containsText("Disconnected: ");
        tab.unroute("**/events*");
        becomeVisible();
        assertThat(page.status()).containsText("Disconnected: ");
        tab.clock().fastForward(10_000);
        becomeVisible();
        site.awaitStream().control("resumed", "{}");
        page.awaitLive();
    }

    @Test
    void refusal_isAskedAboutOnceAMinute_andForgottenWhenItHasPassed() {
        AtomicInteger refused = refuseStreams();
        assertThat(refused).hasValue(2);
        tab.clock().fastForward(29_999);
        assertThat(refused).hasValue(2);
        tab.clock().fastForward(30_001);
        tab.waitForCondition(() -> refused.get() == 3);
        assertThat(page.status()).containsText("Disconnected: ");

        tab.unroute("**/events*");

        // The page may not have taken the last refusal yet, and waits for a minute from then on.
        tab.waitForCondition(
                () -> {
                    tab.clock().fastForward(2_000);
                    return page.status().textContent().equals("Live");
                });
        assertThat(refused).hasValue(3);
    }

    @Test
    void tryAgain_pressedWithTheKeyboard_leavesTheFocusInTheConversation() {
        refuseStreams();
        tab.unroute("**/events*");
        page.button("Try again").focus();

        tab.keyboard().press("Enter");

        site.awaitStream().control("resumed", "{}");
        page.awaitLive();
        assertThat(page.log()).isFocused();
    }

    @Test
    void replayAfterAGap_isNotAnnounced_andLaterMessagesAre() {
        stream.control("resumed", "{}");
        page.awaitLive();
        assertThat(page.log()).hasAttribute("aria-live", "off");
        tab.clock().runFor(1_000);
        assertThat(page.log()).not().hasAttribute("aria-live", "off");

        stream.control("gap", "{}").message("f-1", "one again");
        page.awaitMessage("one again");
        tab.clock().runFor(500);
        stream.message("f-2", "two again");
        page.awaitMessage("two again");
        assertThat(page.log()).hasAttribute("aria-live", "off");
        tab.clock().runFor(500);

        assertThat(page.log()).not().hasAttribute("aria-live", "off");
    }

    @Test
    void goodbye_isExplained() {
        stream.message("e-1", "one");
        page.awaitMessage("one");

        stream.control("goodbye", "{\"reason\":\"drain\"}");

        assertThat(page.status()).hasText("Server restarting, reconnecting…");
    }

    @Test
    void reasonsOfAGoodbye_areThoseThatTheServerKnows() {
        Object known =
                tab.evaluate("async () => Object.keys((await import('/chat/stream.js')).GOODBYES)");

        List<String> labels =
                Stream.of(DisconnectReason.values()).map(DisconnectReason::label).toList();
        assertThat((List<?>) known).isEqualTo(labels);
    }

    /** Receives a message at 23:59, whose time is shown without the day. */
    private void sayLastMinuteOfADay() {
        stream.control("resumed", "{}");
        page.awaitLive();
        tab.clock().fastForward(Duration.ofHours(22).plusMinutes(59).toMillis());
        stream.message("e-1", "late");
        page.awaitMessage("late");
        assertThat(page.log().locator("time")).hasText("23:59");
    }

    /** The data of an event for messages that are lost. */
    private static String gap(String requested, String oldest, String newest) {
        return "{\"room\":\"lobby\",\"requested\":\"%s\",\"oldest\":%s,\"newest\":\"%s\"}"
                .formatted(requested, oldest, newest);
    }

    /** Checks that the page gives a silent connection this time and no more. */
    private void assertReplacedAfter(long millis) {
        tab.clock().fastForward(millis - 1);
        page.awaitLive();
        assertThat(site.hasAnotherStream()).isFalse();
        tab.clock().fastForward(1);
        assertThat(page.status()).hasText("Reconnecting…");
    }

    /**
     * Refuses streams from now on, and waits until the page knows. Returns the count of refusals.
     */
    private AtomicInteger refuseStreams() {
        var refused = new AtomicInteger();
        stream.control("resumed", "{}");
        page.awaitLive();
        tab.route(
                "**/events*",
                route -> {
                    refused.incrementAndGet();
                    route.fulfill(new Route.FulfillOptions().setStatus(403));
                });
        tab.evaluate("() => dispatchEvent(new Event('online'))");
        assertThat(page.status()).containsText("Disconnected: ");
        return refused;
    }

    private void becomeVisible() {
        tab.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))");
    }

    private void heartbeat() {
        heartbeat("{}");
    }

    private void heartbeat(String data) {
        heartbeats++;
        stream.control("heartbeat", data);
        tab.waitForFunction("count => window.heartbeats === count", heartbeats);
    }
}
