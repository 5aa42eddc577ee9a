package dev.parley.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Response;
import com.microsoft.playwright.options.AriaRole;
import dev.parley.testsupport.ParleyProcess;
import java.net.URI;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Pattern;

/** The chat page in a tab. Its parts are found by role and label, as a screen reader finds them. */
final class ChatPage {

    private final Page tab;
    private final ConsoleErrors errors;
    private final Response response;

    private ChatPage(Page tab, ConsoleErrors errors, Response response) {
        this.tab = tab;
        this.errors = errors;
        this.response = response;
    }

    /** Opens the page of this pod and room, and waits until its stream is live. */
    static ChatPage open(Page tab, ParleyProcess pod, String room) {
        return navigate(tab, pod.uri("/?room=" + room)).awaitLive();
    }

    /** Opens the page at this address, and waits until its form works. */
    static ChatPage navigate(Page tab, URI uri) {
        ConsoleErrors errors = ConsoleErrors.of(tab);
        var response = new AtomicReference<Response>();
        awaitForm(tab, () -> response.set(tab.navigate(uri.toString())));
        return new ChatPage(tab, errors, response.get());
    }

    /** Opens the page at this address, where its form may not come to work. */
    static ChatPage navigateToIncomplete(Page tab, URI uri) {
        ConsoleErrors errors = ConsoleErrors.of(tab);
        return new ChatPage(tab, errors, tab.navigate(uri.toString()));
    }

    /** Loads the page in a tab anew, and waits until its form works. */
    static void reload(Page tab) {
        awaitForm(tab, tab::reload);
    }

    /** The page asks for the history of its room as soon as its form works. */
    private static void awaitForm(Page tab, Runnable load) {
        tab.waitForRequest("**/rooms/**", load);
    }

    Page tab() {
        return tab;
    }

    /** The response with the HTML of the page. */
    Response response() {
        return response;
    }

    List<String> errors() {
        return errors.all();
    }

    Locator status() {
        return tab.getByRole(AriaRole.STATUS);
    }

    Locator log() {
        return tab.getByRole(AriaRole.LOG);
    }

    /** The texts of the messages. */
    Locator messages() {
        return log().locator(".text");
    }

    Locator name() {
        return tab.getByLabel("Name", new Page.GetByLabelOptions().setExact(true));
    }

    Locator text() {
        return tab.getByRole(
                AriaRole.TEXTBOX, new Page.GetByRoleOptions().setName("Message").setExact(true));
    }

    Locator send() {
        return button("Send");
    }

    /** The button that says how many new messages are below the visible ones. */
    Locator newer() {
        return tab.locator("#newer");
    }

    /** The messages that the page shows as written in this tab. */
    Locator ownMessages() {
        return log().locator(".own .text");
    }

    /** The messages of which the page does not know yet whether they were written in this tab. */
    Locator undecidedMessages() {
        return log().locator(".undecided .text");
    }

    /** The names of the authors. */
    Locator authors() {
        return log().locator(".from");
    }

    Locator error() {
        return tab.getByRole(AriaRole.ALERT);
    }

    Locator button(String name) {
        return tab.getByRole(
                AriaRole.BUTTON, new Page.GetByRoleOptions().setName(name).setExact(true));
    }

    ChatPage awaitLive() {
        assertThat(status()).hasText("Live");
        return this;
    }

    ChatPage awaitReconnecting() {
        assertThat(status()).hasAttribute("data-state", "reconnecting");
        return this;
    }

    ChatPage awaitMessage(String line) {
        assertThat(messages().last()).hasText(line);
        return this;
    }

    /** Writes a text and sends it with Enter. */
    ChatPage say(String text) {
        text().fill(text);
        text().press("Enter");
        return this;
    }

    /** Leaves the page for another one; the browser keeps it in its cache. */
    void leave() {
        turn("pagehide");
    }

    /** Comes back to the page, which was in the browser's cache. */
    void comeBack() {
        turn("pageshow");
    }

    private void turn(String event) {
        tab.evaluate(
                "event => dispatchEvent(new PageTransitionEvent(event, {persisted: true}))", event);
    }

    /** The texts of all messages with their white space, oldest first. */
    List<String> texts() {
        return messages().allTextContents();
    }

    /** Turns the mouse wheel up, and waits until the page no longer follows the newest message. */
    ChatPage scrollUp(int pixels) {
        log().hover();
        tab.mouse().wheel(0, -pixels);
        return awaitLeftBottom();
    }

    /** Waits until the page no longer follows the newest message. */
    ChatPage awaitLeftBottom() {
        assertThat(log()).not().hasClass(Pattern.compile("\\bfollowing\\b"));
        return this;
    }

    double scrollTop() {
        return ((Number) log().evaluate("log => log.scrollTop")).doubleValue();
    }
}
