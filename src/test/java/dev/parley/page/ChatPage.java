package dev.parley.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Response;
import com.microsoft.playwright.options.AriaRole;
import dev.parley.testsupport.ParleyProcess;
import java.util.List;
import java.util.regex.Pattern;

/** The chat page in a tab, its parts found the way a screen reader finds them. */
final class ChatPage {

    private final Page tab;
    private final Complaints complaints;
    private final Response response;

    private ChatPage(Page tab, Complaints complaints, Response response) {
        this.tab = tab;
        this.complaints = complaints;
        this.response = response;
    }

    /** Opens the page of this pod and room, and waits until its stream is live. */
    static ChatPage open(Page tab, ParleyProcess pod, String room) {
        Complaints complaints = Complaints.of(tab);
        Response response = tab.navigate(pod.uri("/?room=" + room).toString());
        return new ChatPage(tab, complaints, response).awaitLive();
    }

    Page tab() {
        return tab;
    }

    /** The answer that brought the page. */
    Response response() {
        return response;
    }

    List<String> complaints() {
        return complaints.all();
    }

    Locator status() {
        return tab.getByRole(AriaRole.STATUS);
    }

    Locator log() {
        return tab.getByRole(AriaRole.LOG);
    }

    /** The texts in the log. */
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

    /** The button that says how many messages came below. */
    Locator newer() {
        return tab.locator("#newer");
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

    /** All texts to the letter, oldest first. */
    List<String> texts() {
        return messages().allTextContents();
    }

    /** Turns the wheel up, and waits until the page knows that its reader has left the bottom. */
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
