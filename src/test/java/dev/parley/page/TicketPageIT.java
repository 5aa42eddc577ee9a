package dev.parley.page;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Page;
import dev.parley.access.AccessPods;
import dev.parley.access.TestTokens;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.TextFiles;
import java.time.Instant;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** The page of docs/access.md that reads a private room with tickets. */
class TicketPageIT extends PageBase {

    private static final String ROOM = "kitchen";

    @AutoClose private ParleyProcess pod = AccessPods.builder().fixedPort().start().awaitReady();

    @Test
    void renewals_leaveOneStream_andShowEachMessageOnce() {
        Page tab = read(4);
        var metrics = new Metrics(pod);

        for (int i = 1; i <= 4; i++) {
            publish("message " + i);
            int renewals = i;
            tab.waitForCondition(
                    () ->
                            metrics.value("parley_disconnects_total{reason=\"expired\"}")
                                    >= renewals);
        }
        publish("last");

        tab.waitForCondition(() -> shown(tab).contains("last"));
        assertThat(shown(tab))
                .containsExactly("message 1", "message 2", "message 3", "message 4", "last");
    }

    @Test
    void ticketThatIsGone_isReplaced() {
        Page tab = read(600);
        publish("before");
        tab.waitForCondition(() -> shown(tab).contains("before"));

        // Without Redis, the tickets go with the pod.
        pod.kill();
        pod = pod.replacement().awaitReady();

        var metrics = new Metrics(pod);
        tab.waitForCondition(() -> metrics.value("parley_connected_clients") == 1);
        publish("after");
        tab.waitForCondition(() -> shown(tab).contains("after"));
        assertThat(shown(tab)).containsExactly("before", "after");
    }

    /** Runs the example on a page of the pod, with tokens that last for some seconds. */
    private Page read(int seconds) {
        Page tab = browser.tab();
        tab.navigate(pod.uri("/favicon.svg").toString());
        tab.exposeFunction(
                "newToken",
                arguments ->
                        token().claim("exp", Instant.now().getEpochSecond() + seconds).signed());
        tab.evaluate("() => { window.shown = []; window.show = m => shown.push(m.text); }");
        tab.evaluate(example());
        var metrics = new Metrics(pod);
        tab.waitForCondition(() -> metrics.value("parley_connected_clients") == 1);
        return tab;
    }

    private static String example() {
        Matcher block =
                Pattern.compile("(?ms)^## Tickets for EventSource$.*?^```js\\R(.*?)^```$")
                        .matcher(TextFiles.read("docs/access.md"));
        assertThat(block.find()).isTrue();
        return "() => {" + block.group(1) + "}";
    }

    private static List<String> shown(Page tab) {
        return ((List<?>) tab.evaluate("shown")).stream().map(String::valueOf).toList();
    }

    private void publish(String text) {
        AccessPods.with(pod, token().signed()).sendForm(text, "room", ROOM);
    }

    private static TestTokens token() {
        return AccessPods.tokenFor(ROOM);
    }
}
