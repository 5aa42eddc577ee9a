package dev.parley.page;

import com.microsoft.playwright.Page;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import java.util.stream.IntStream;
import org.junit.jupiter.api.TestInfo;

/** A room that only one test talks in, on its pages and past them. */
record ChatRoom(String name) {

    /** The room of this test, with its name. */
    static ChatRoom of(TestInfo test) {
        return new ChatRoom(test.getTestMethod().orElseThrow().getName());
    }

    /** Opens the chat page of this pod, and waits until its stream is live. */
    ChatPage open(Page tab, ParleyProcess pod) {
        return ChatPage.open(tab, pod, name);
    }

    /** Says something without a page. */
    void say(ParleyProcess pod, String text) {
        new Http(pod.uri()).sendForm(text, "room", name);
    }

    /** Says {@code Message 1}, {@code Message 2} … without a page. */
    void fill(ParleyProcess pod, int count) {
        Http http = new Http(pod.uri());
        IntStream.rangeClosed(1, count).forEach(i -> http.sendForm("Message " + i, "room", name));
    }
}
