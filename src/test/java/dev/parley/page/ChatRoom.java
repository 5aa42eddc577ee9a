package dev.parley.page;

import com.microsoft.playwright.Page;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import java.util.stream.IntStream;

/** A room that only one test uses, on the page and by direct requests. */
record ChatRoom(String name) {

    /** Opens the chat page of this pod, and waits until its stream is live. */
    ChatPage open(Page tab, ParleyProcess pod) {
        return ChatPage.open(tab, pod, name);
    }

    /** Publishes a message without a page. */
    void say(ParleyProcess pod, String text) {
        new Http(pod.uri()).sendForm(text, "room", name);
    }

    /** Publishes a message by this author without a page. */
    void say(ParleyProcess pod, String from, String text) {
        new Http(pod.uri()).sendForm(text, "room", name, "from", from);
    }

    /** Tries to publish under this name, and returns the answer. */
    Http.Answer sendAs(ParleyProcess pod, String from) {
        return new Http(pod.uri()).sendForm("Hello", "room", name, "from", from);
    }

    /** Publishes messages of the event type {@code alert} without a page. */
    void alert(ParleyProcess pod, int count) {
        Http http = new Http(pod.uri());
        IntStream.rangeClosed(1, count)
                .forEach(i -> http.sendForm("Alert " + i, "room", name, "event", "alert"));
    }

    /** Publishes {@code Message 1}, {@code Message 2} … without a page. */
    void fill(ParleyProcess pod, int count) {
        Http http = new Http(pod.uri());
        IntStream.rangeClosed(1, count).forEach(i -> http.sendForm("Message " + i, "room", name));
    }
}
