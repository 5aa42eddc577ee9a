package dev.parley.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Clock;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Request;
import com.microsoft.playwright.Route;
import com.microsoft.playwright.options.WaitUntilState;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sending with the page, where the test writes the answers and what arrives on the stream. */
class ChatSendPageIT extends PageBase {

    /** Counts the requests that the page has made and that have no answer yet. */
    private static final String COUNT_REQUESTS =
            """
            window.underWay = 0;
            const ask = window.fetch;
            window.fetch = (...request) => {
              window.underWay++;
              return ask(...request).finally(() => window.underWay--);
            };
            """;

    /** Blocks the site's data, as a person can do in the settings of a browser. */
    private static final String FORBIDDEN =
            """
            for (const kind of ["localStorage", "sessionStorage"]) {
              Object.defineProperty(window, kind, {
                get() { throw new DOMException("Access is denied.", "SecurityError"); },
              });
            }
            """;

    /** Lets the page read what is stored, and store nothing more. */
    private static final String FULL =
            """
            Storage.prototype.setItem = () => {
              throw new DOMException("The quota has been exceeded.", "QuotaExceededError");
            };
            """;

    @AutoClose private final ScriptedSite site = ScriptedSite.start();

    private final Page tab = browser.tab();
    private final List<Request> requests = new ArrayList<>();
    private ScriptedSite.Stream stream;

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

        tab.locator("#name").press("Enter");
        tab.locator("#send").click();
        tab.unroute("**/chat.js");
        held.get(0).resume();

        site.awaitStream();
        assertThat(tab.locator("#text")).hasValue("Secret");
        assertThat(tab.url()).isEqualTo(site.uri().toString());
    }

    @ParameterizedTest
    @ValueSource(ints = {408, 500, 502, 504, 521, 599})
    void answerThatDoesNotSayWhetherTheMessageWasPublished_causesARepeat(int status) {
        ChatPage page = open();
        answer(status, "text/html", "<h1>Error</h1>");
        page.say("Hello");
        tab.waitForCondition(() -> requests.size() == 1);
        answerWithReceipt("e-1");

        finishSending(page);

        assertThat(requests).hasSize(2);
        assertThat(page.error()).isEmpty();
        assertThat(page.text()).hasValue("");
        assertThat(keys()).hasSize(1);
    }

    @Test
    void successWithoutAReceipt_doesNotCountAsSent() {
        ChatPage page = open();
        answer(200, "text/html", "<h1>Welcome to the hotel's network</h1>");

        page.say("Hello");
        finishSending(page);

        assertThat(page.error()).containsText("Perhaps not sent: something between");
        assertThat(page.text()).hasValue("Hello");
    }

    @Test
    void refusal_isNotRepeated() {
        ChatPage page = open();
        answer(422, "text/plain", "not this text");

        page.say("Hello");

        assertThat(page.error()).hasText("Not sent: not this text. Your text is kept.");
        assertThat(requests).hasSize(1);
    }

    @Test
    void equalTextOfAnotherPerson_whileSendingFails_isNotTakenForOnesOwn() {
        ChatPage page = open();
        page.name().fill("Ada");
        loseRequests();

        page.say("Hello");
        tab.waitForCondition(() -> !requests.isEmpty());
        stream.message("e-1", "Hello");
        page.awaitMessage("Hello");
        finishSending(page);

        assertThat(page.text()).hasValue("Hello");
        assertThat(page.error()).containsText("Perhaps not sent");
        assertThat(page.ownMessages()).hasCount(0);
    }

    @Test
    void equalTextOfAnotherPerson_leavesTheTextThatWasGivenBack() {
        ChatPage page = openWithGivenBack("Hello");
        assertThat(requests).hasSize(4);

        stream.message("e-1", "Hello");

        tab.waitForCondition(() -> requests.size() == 5);
        assertThat(page.messages()).hasText(new String[] {"Hello"});
        assertThat(page.undecidedMessages()).hasCount(0);
        assertThat(page.text()).hasValue("Hello");
        assertThat(page.error()).containsText("Perhaps not sent");
        answerWithReceipt("e-2");
        page.text().press("Enter");
        assertThat(page.send()).not().hasAttribute("aria-busy", "true");
        stream.message("e-2", "Hello");
        assertThat(page.ownMessages()).hasCount(1);
        assertThat(page.messages()).hasCount(2);
        assertThat(keys()).hasSize(1);
    }

    @Test
    void messageThatArrivesAfterItWasGivenBack_isTakenOutOfTheForm_onceARepeatHasItsReceipt() {
        ChatPage page = openWithGivenBack("Late", "Never");
        assertThat(page.text()).hasValue("Late\nNever");
        answerWithReceipt("e-1");

        stream.message("e-1", "Late");

        assertThat(page.text()).hasValue("Never");
        assertThat(page.ownMessages()).hasText(new String[] {"Late"});
        assertThat(requests).hasSize(5);
        assertThat(keys()).hasSize(1);
        page.text().fill("");
        ChatPage.reload(tab);
        assertThat(page.text()).hasValue("Never");
    }

    @Test
    void textThatWasEditedAfterItWasGivenBack_isNotRepeated() {
        ChatPage page = openWithGivenBack("Late");
        answerWithReceipt("e-1");

        page.text().fill("Later");
        stream.message("e-1", "Late").message("e-2", "Another message");
        page.awaitMessage("Another message");

        assertThat(page.text()).hasValue("Later");
        assertNextRequestIsFor(page, "Later");
        assertThat(requests).hasSize(5);
    }

    @Test
    void messageThatArrivesWhenTheServerHasForgottenTheKey_isNotRepeated() {
        ChatPage page = openWithGivenBack("Late");
        answerWithReceipt("e-1");

        tab.clock().fastForward(300_000);
        stream.message("e-1", "Late").message("e-2", "Another message");
        page.awaitMessage("Another message");

        assertThat(page.text()).hasValue("Late");
        assertNextRequestIsFor(page, "Something else");
        assertThat(requests).hasSize(5);
    }

    @Test
    void textsThatWereGivenBackTogether_areSentAgainAsTheyWere() {
        ChatPage page = openWithGivenBack("Late", "Never");
        assertThat(page.text()).hasValue("Late\nNever");
        answerWithReceipt("e-1");

        page.text().press("Enter");

        tab.waitForCondition(() -> requests.size() == 6);
        assertThat(page.send()).not().hasAttribute("aria-busy", "true");
        assertThat(requests.get(4).postData()).contains("\"Late\"");
        assertThat(requests.get(5).postData()).contains("\"Never\"");
        assertThat(keys()).hasSize(2);
        assertThat(keyOf(4)).isEqualTo(keyOf(0));
    }

    @Test
    void refusalAfterAnAttemptWithoutAnAnswer_leavesItOpenWhetherTheTextWasSent() {
        ChatPage page = open();
        loseRequests();
        page.say("Hello");
        tab.waitForCondition(() -> requests.size() == 1);
        answer(429, "text/plain", "too many messages");

        finishSending(page);

        assertThat(page.error()).containsText("Perhaps not sent: too many messages");
    }

    @Test
    void messageWithTheNameOfTheToken_isUndecidedUntilItsReceiptComes() {
        ChatPage page = open();
        List<Route> held = new ArrayList<>();
        tab.route("**/send", held::add);
        page.name().fill("ada");
        page.say("Hello");
        tab.waitForCondition(() -> !held.isEmpty());

        stream.verified("e-1", "Hello");

        assertThat(page.undecidedMessages()).hasText(new String[] {"Hello"});
        held.get(0)
                .fulfill(
                        new Route.FulfillOptions()
                                .setHeaders(Map.of("Event-Id", "e-1"))
                                .setBody("ok"));
        assertThat(page.ownMessages()).hasText(new String[] {"Hello"});
        assertThat(page.undecidedMessages()).hasCount(0);
    }

    @Test
    void textsThatWereBeingSent_whenThePageWasLoadedAnew_areSentUnderTheirKeys() {
        AtomicBoolean hold = holdRequests();
        ChatPage page = openSending("One", "Two");
        hold.set(false);

        ChatPage.reload(tab);

        tab.waitForCondition(() -> requests.size() == 3);
        assertThat(requests.get(1).postData()).contains("\"One\"");
        assertThat(requests.get(2).postData()).contains("\"Two\"");
        assertThat(keyOf(1)).isEqualTo(keyOf(0));
        assertThat(page.send()).not().hasAttribute("aria-busy", "true");
        assertThat(page.error()).isEmpty();
        ChatPage.reload(tab);
        assertNextRequestIsFor(page, "Three");
        assertThat(requests).hasSize(4);
    }

    @Test
    void textThatWasBeingSent_tooLongAgoForARepeat_isGivenBack() {
        AtomicBoolean hold = holdRequests();
        ChatPage page = openSending("One", "Two");
        changeStored("stored.messages[0].repeatUntil = 0");
        hold.set(false);

        ChatPage.reload(tab);

        assertThat(page.error()).containsText("Perhaps not sent: the page was closed or asleep");
        assertThat(page.text()).hasValue("One\nTwo");
        assertThat(requests).hasSize(1);
        page.text().press("Enter");
        tab.waitForCondition(() -> requests.size() == 3);
        assertThat(keyOf(1)).isEqualTo(keyOf(0));
    }

    @Test
    void textThatWasNotTried_beforeThePageWasLoadedAnew_isSentHoweverOldItIs() {
        AtomicBoolean hold = holdRequests();
        ChatPage page = openSending("One", "Two");
        changeStored("stored.messages.shift()");
        hold.set(false);

        ChatPage.reload(tab);

        tab.waitForCondition(() -> requests.size() == 2);
        assertThat(requests.get(1).postData()).contains("\"Two\"");
        assertThat(page.error()).isEmpty();
    }

    @Test
    void pageThatSleptBetweenTwoAttempts_doesNotRepeatUnderAKeyThatIsForgotten() {
        ChatPage page = openWithTheFirstRequestLost("Hello");

        tab.clock().fastForward(300_000);

        assertThat(page.error()).containsText("Perhaps not sent: the page was closed or asleep");
        assertThat(page.text()).hasValue("Hello");
        assertThat(requests).hasSize(1);
        page.text().press("Enter");
        tab.waitForCondition(() -> requests.size() == 2);
        assertThat(page.text()).hasValue("");
        assertThat(keys()).hasSize(1);
    }

    /** It is not known how long the first attempt is ago. */
    @Test
    void pageWhoseClockWasSetBackBetweenTwoAttempts_doesNotRepeatUnderAKeyThatMayBeForgotten() {
        ChatPage page = openWithTheFirstRequestLost("Hello");

        tab.clock().setSystemTime("2026-01-01T00:00:00Z");
        finishSending(page);

        assertThat(page.error()).containsText("Perhaps not sent: the page was closed or asleep");
        assertThat(page.text()).hasValue("Hello");
        assertThat(requests).hasSize(1);
    }

    @Test
    void textsThatWereGivenBack_stayWithTheirKey_whenThePageIsLoadedAnew() {
        ChatPage page = openWithGivenBack("Late", "Never");
        // Not every browser keeps what is in a form.
        tab.evaluate("document.getElementById('text').value = ''");
        answerWithReceipt("e-1");

        ChatPage.reload(tab);

        assertThat(page.text()).hasValue("Late\nNever");
        assertThat(page.error()).containsText("Perhaps not sent: the server cannot be reached");
        page.text().press("Enter");
        tab.waitForCondition(() -> requests.size() == 6);
        assertThat(keyOf(4)).isEqualTo(keyOf(0));
        assertThat(keys()).hasSize(2);
        assertThat(page.send()).not().hasAttribute("aria-busy", "true");
        ChatPage.reload(tab);
        assertThat(page.send()).isEnabled();
        assertThat(page.text()).hasValue("");
        assertThat(page.error()).isEmpty();
    }

    @Test
    void textThatWasDeletedAfterItWasGivenBack_doesNotComeBack_whenThePageIsLoadedAnew() {
        ChatPage page = openWithGivenBack("Late", "Never");
        assertThat(page.error()).containsText("Perhaps not sent");

        page.text().fill("");

        assertThat(page.error()).isEmpty();
        ChatPage.reload(tab);
        site.awaitStream();
        assertThat(page.text()).hasValue("");
        assertThat(page.error()).isEmpty();
    }

    @Test
    void textThatWasCutAfterItWasGivenBack_keepsItsKeyWhenItIsPastedAgain() {
        ChatPage page = openWithGivenBack("Late");
        answerWithReceipt("e-1");
        page.text().fill("");
        page.text().fill("Late");

        page.text().press("Enter");

        tab.waitForCondition(() -> page.text().inputValue().isEmpty() && requests.size() > 1);
        tab.waitForFunction("() => window.underWay === 0");
        assertThat(keys()).hasSize(1);
    }

    @Test
    void textThatWasEditedAfterItWasGivenBack_isLeftAlone_whenThePageIsLoadedAnew() {
        ChatPage page = openWithGivenBack("Late");
        tab.addInitScript(
                """
                addEventListener("readystatechange", () => {
                  // Before the page's script, as a browser does.
                  if (document.readyState !== "interactive") return;
                  document.getElementById("text").value = "Later";
                }, true);
                """);

        ChatPage.reload(tab);

        assertThat(page.send()).isEnabled();
        assertThat(page.text()).hasValue("Later");
        assertThat(page.error()).isEmpty();
    }

    @Test
    void textThatWasGivenBack_andIsInTheHistory_isTakenOutOfTheForm_onceARepeatHasItsReceipt() {
        ChatPage page = openWithGivenBack("Late");
        answerWithReceipt("e-1");
        site.retain("e-1", "Late");

        ChatPage.reload(tab);

        assertThat(page.ownMessages()).hasText(new String[] {"Late"});
        assertThat(page.text()).hasValue("");
        assertThat(page.error()).isEmpty();
        assertThat(keys()).hasSize(1);
    }

    @Test
    void textThatIsBeingSentAgain_andIsInTheHistory_isUndecidedUntilItsReceiptComes() {
        holdRequests();
        ChatPage page = openSending("One");
        site.retain("e-1", "One");

        ChatPage.reload(tab);

        assertThat(page.undecidedMessages()).hasText(new String[] {"One"});
    }

    @Test
    void pageThatComesBackAfterAnotherOneHasSentItsTexts_doesNotSendThem() {
        ChatPage page = openWithTheFirstRequestLost("One", "Two");
        page.leave();
        tab.evaluate("() => sessionStorage.removeItem('parley.sending:')");

        page.comeBack();

        tab.clock().fastForward(10_000);
        assertThat(page.send()).not().hasAttribute("aria-busy", "true");
        assertNextRequestIsFor(page, "Three");
        assertThat(requests).hasSize(2);
    }

    @Test
    void pageThatComesBack_goesOnSending() {
        ChatPage page = openWithTheFirstRequestLost("One", "Two");
        page.leave();

        page.comeBack();

        tab.waitForCondition(() -> requests.size() == 3);
        assertThat(keyOf(1)).isEqualTo(keyOf(0));
        assertThat(requests.get(2).postData()).contains("\"Two\"");
    }

    /** The other page has sent what was given back, or its text was deleted there. */
    @Test
    void pageThatComesBackAfterAnotherOneHasDealtWithWhatWasGivenBack_hasItInTheFormNoMore() {
        ChatPage page = openWithGivenBack("Late", "Never");
        page.leave();
        tab.evaluate("() => sessionStorage.removeItem('parley.sending:')");

        page.comeBack();

        assertThat(page.text()).hasValue("");
        assertThat(page.error()).isEmpty();
    }

    @Test
    void pageThatComesBackWhileWhatWasGivenBackIsBeingSent_hasItInTheFormNoMore_andGoesOn() {
        ChatPage page = openWithGivenBack("Late");
        answerWithReceipt("e-1");
        page.leave();
        changeStored("delete stored.problem");

        page.comeBack();

        assertThat(page.text()).hasValue("");
        tab.waitForCondition(() -> requests.size() == 5);
        assertThat(keys()).hasSize(1);
    }

    @Test
    void pageThatComesBack_keepsWhatWasGivenBackAndNotSentSince_underItsKey() {
        ChatPage page = openWithGivenBack("Late", "Never");
        answerWithReceipt("e-1");
        page.leave();
        changeStored("stored.messages.shift()");

        page.comeBack();

        assertThat(page.text()).hasValue("Never");
        assertThat(page.error()).containsText("Perhaps not sent");
        page.text().press("Enter");
        tab.waitForCondition(() -> requests.size() == 5);
        assertThat(requests.get(4).postData()).contains("\"Never\"");
    }

    @Test
    void pageThatComesBack_putsWhatAnotherOneCouldNotSend_beforeWhatWasTyped() {
        ChatPage page = openWithTheFirstRequestLost("Late");
        page.text().fill("Typed");
        page.leave();
        changeStored("stored.problem = 'Perhaps not sent: the server cannot be reached'");

        page.comeBack();

        assertThat(page.text()).hasValue("Late\nTyped");
        assertThat(page.error()).containsText("Perhaps not sent");
        page.text().press("Enter");
        tab.waitForCondition(() -> requests.size() == 3);
        assertThat(keyOf(1)).isEqualTo(keyOf(0));
        assertThat(requests.get(2).postData()).contains("\"Typed\"");
    }

    @Test
    void pageThatComesBack_leavesATextAloneThatWasEditedAfterItWasGivenBack() {
        ChatPage page = openWithGivenBack("Late");
        page.text().fill("Later");
        page.leave();
        tab.evaluate("() => sessionStorage.removeItem('parley.sending:')");

        page.comeBack();

        assertThat(page.text()).hasValue("Later");
    }

    @Test
    void messageThatAnotherPageOfTheTabHasSent_isShownAsOwn_whenThePageComesBack() {
        ChatPage page = open();
        stream.message("e-1", "Before");
        page.awaitMessage("Before");
        page.leave();
        tab.evaluate("() => sessionStorage.setItem('parley.own', '[\"e-1\",\"e-2\"]')");

        page.comeBack();

        assertThat(page.ownMessages()).hasText(new String[] {"Before"});
        site.awaitStream().message("e-2", "Meanwhile").message("e-3", "After");
        page.awaitMessage("After");
        assertThat(page.ownMessages()).hasText(new String[] {"Before", "Meanwhile"});
    }

    @ParameterizedTest
    @ValueSource(strings = {FORBIDDEN, FULL})
    void pageThatComesBack_withoutStorage_goesOnSending(String storage) {
        tab.addInitScript(storage);
        ChatPage page = openWithTheFirstRequestLost("One", "Two");
        page.leave();

        page.comeBack();

        tab.waitForCondition(() -> requests.size() == 3);
        assertThat(keyOf(1)).isEqualTo(keyOf(0));
        assertThat(requests.get(2).postData()).contains("\"Two\"");
        assertThat(page.send()).not().hasAttribute("aria-busy", "true");
    }

    @ParameterizedTest
    @ValueSource(strings = {FORBIDDEN, FULL})
    void pageThatComesBack_withoutStorage_keepsWhatWasGivenBack_underItsKey(String storage) {
        tab.addInitScript(storage);
        ChatPage page = openWithGivenBack("Late");
        answerWithReceipt("e-1");
        page.leave();

        page.comeBack();

        assertThat(page.text()).hasValue("Late");
        assertThat(page.error()).containsText("Perhaps not sent");
        page.text().press("Enter");
        tab.waitForCondition(() -> requests.size() == 5);
        assertThat(keys()).hasSize(1);
    }

    /** The storage has room at first, so that what it has at last is what was sent long ago. */
    @Test
    void pageThatComesBack_whoseStorageBecameFull_doesNotSendAgainWhatItHasSent() {
        ChatPage page = openWithTheFirstRequestLost("One");
        tab.evaluate("() => { %s }".formatted(FULL));
        tab.clock().fastForward(10_000);
        tab.waitForCondition(() -> requests.size() == 2);
        assertThat(page.send()).not().hasAttribute("aria-busy", "true");
        page.leave();

        page.comeBack();

        assertThat(page.send()).not().hasAttribute("aria-busy", "true");
        assertNextRequestIsFor(page, "Two");
        assertThat(requests).hasSize(3);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"[null]", "{", "{\"messages\":[null,{},{\"text\":1}]}", "{\"messages\":{}}"})
    void storedTextsThatAreNotThePagesOwn_areLeftOut(String stored) {
        ChatPage page = open();
        tab.evaluate("stored => sessionStorage.setItem('parley.sending:', stored)", stored);

        ChatPage.reload(tab);

        tab.waitForCondition(
                () -> {
                    tab.clock().runFor(500);
                    return page.status().textContent().equals("Live");
                });
        assertThat(page.text()).hasValue("");
        assertThat(page.error()).isEmpty();
    }

    /**
     * Changes what the page has stored of the texts that it is sending, with a statement of
     * JavaScript.
     */
    private void changeStored(String statement) {
        tab.evaluate(
                """
                () => {
                  const stored = JSON.parse(sessionStorage.getItem("parley.sending:"));
                  %s;
                  sessionStorage.setItem("parley.sending:", JSON.stringify(stored));
                }
                """
                        .formatted(statement));
    }

    /** Sends a text, and sees that no request was made before the one for it. */
    private void assertNextRequestIsFor(ChatPage page, String text) {
        int before = requests.size();
        page.say(text);
        tab.waitForCondition(() -> requests.size() > before);
        assertThat(requests.get(before).postData()).contains(text);
    }

    /** Opens the page with a clock that the test moves, and with a stream. */
    private ChatPage open() {
        tab.clock().install(new Clock.InstallOptions().setTime("2026-01-01T00:00:00Z"));
        tab.clock().pauseAt("2026-01-01T01:00:00Z");
        tab.addInitScript(COUNT_REQUESTS);
        ChatPage page = ChatPage.navigate(tab, site.uri());
        stream = site.awaitStream();
        return page;
    }

    /** Opens the page and sends texts as Ada; the request for the first one has been made. */
    private ChatPage openSending(String... texts) {
        ChatPage page = open();
        page.name().fill("Ada");
        for (String text : texts) {
            page.say(text);
        }
        tab.waitForCondition(() -> requests.size() == 1);
        return page;
    }

    /** The same; that request was lost, and each further one will get a receipt. */
    private ChatPage openWithTheFirstRequestLost(String... texts) {
        loseRequests();
        ChatPage page = openSending(texts);
        tab.waitForFunction("() => window.underWay === 0");
        answerWithReceipt("e-1");
        return page;
    }

    /**
     * Opens the page and sends texts as Ada of which no request arrives, until they are given back.
     */
    private ChatPage openWithGivenBack(String... texts) {
        loseRequests();
        ChatPage page = openSending(texts);
        finishSending(page);
        return page;
    }

    private void answer(int status, String type, String body) {
        onSend(
                new Route.FulfillOptions()
                        .setStatus(status)
                        .setHeaders(Map.of("Content-Type", type))
                        .setBody(body));
    }

    private void answerWithReceipt(String id) {
        onSend(receipt(id));
    }

    private static Route.FulfillOptions receipt(String id) {
        return new Route.FulfillOptions().setHeaders(Map.of("Event-Id", id)).setBody("ok");
    }

    /**
     * Leaves requests without an answer until the test says otherwise; then each gets a receipt.
     */
    private AtomicBoolean holdRequests() {
        var hold = new AtomicBoolean(true);
        // One route for both: between two of them, the browser would let what is held go to the
        // server.
        tab.route(
                "**/send",
                route -> {
                    requests.add(route.request());
                    if (!hold.get()) {
                        route.fulfill(receipt("e-1"));
                    }
                });
        return hold;
    }

    private void loseRequests() {
        tab.unroute("**/send");
        tab.route(
                "**/send",
                route -> {
                    requests.add(route.request());
                    route.abort();
                });
    }

    private void onSend(Route.FulfillOptions answer) {
        tab.unroute("**/send");
        tab.route(
                "**/send",
                route -> {
                    requests.add(route.request());
                    route.fulfill(answer);
                });
    }

    /**
     * Moves the clock until the page no longer tries to send. It moves only while no request is
     * under way, so that each has as long as it takes.
     */
    private void finishSending(ChatPage page) {
        tab.waitForCondition(
                () -> {
                    if (tab.evaluate("() => window.underWay").equals(0)) {
                        tab.clock().runFor(500);
                    }
                    return page.send().getAttribute("aria-busy") == null;
                });
    }

    private List<String> keys() {
        return IntStream.range(0, requests.size()).mapToObj(this::keyOf).distinct().toList();
    }

    private String keyOf(int request) {
        return requests.get(request).headers().get("idempotency-key");
    }
}
