package dev.parley.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.Cookie;
import com.sun.net.httpserver.HttpServer;
import dev.parley.access.AccessPods;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Who the sender is, for pages: verified names, and the cookie of a person on two origins. */
class SenderPageIT extends PageBase {

    private static ParleyProcess pod;
    private static HttpServer friend;
    private static HttpServer stranger;

    /** Publishes with the browser's cookie, and returns the status or why there was none. */
    private static final String PUBLISH =
            """
            ([address, text]) => fetch(address + "/send", {
                method: "POST",
                credentials: "include",
                body: new URLSearchParams({ room: "cookies", msg: text }),
            }).then((answer) => answer.status, () => "blocked")
            """;

    @BeforeAll
    static void start() throws IOException {
        friend = site();
        stranger = site();
        pod =
                AccessPods.builder()
                        .fixedPort()
                        .config("quarkus.http.cors.origins", origin(friend))
                        .config("quarkus.http.cors.access-control-allow-credentials", "true")
                        .start();
    }

    @AfterAll
    static void stop() {
        pod.close();
        friend.stop(0);
        stranger.stop(0);
    }

    private static HttpServer site() throws IOException {
        var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        HttpServer server = HttpServer.create(address, 0);
        server.createContext(
                "/",
                exchange -> {
                    byte[] page =
                            "<!doctype html><title>A site</title>".getBytes(StandardCharsets.UTF_8);
                    exchange.getResponseHeaders().set("Content-Type", "text/html");
                    exchange.sendResponseHeaders(200, page.length);
                    exchange.getResponseBody().write(page);
                    exchange.close();
                });
        server.start();
        return server;
    }

    private static String origin(HttpServer site) {
        return "http://localhost:" + site.getAddress().getPort();
    }

    private static String parley() {
        return "http://localhost:" + pod.port();
    }

    @Test
    void verifiedSender_isMarked_andAnotherOneOfTheSameNameIsNot() {
        String room = "public.write.names";
        new Http(pod.uri()).sendForm("I am not", "room", room, "from", "Ada");
        AccessPods.with(pod, AccessPods.tokenFor(room).claim("name", "Ada").signed())
                .sendForm("I am", "room", room);

        ChatPage page = ChatPage.open(browser.tab(), pod, room);

        page.awaitMessage("I am");
        assertThat(page.messages()).hasCount(2);
        assertThat(page.authors()).hasText(new String[] {"Ada", "Ada"});
        assertThat(page.tab().locator(".message .verified")).hasCount(1);
        assertThat(page.tab().locator(".message").last().locator(".verified")).isVisible();
    }

    @Test
    void cookieOfAPerson_publishesForPagesOfThisOriginAndOfThoseThatAreNamed_andForNoOther() {
        String token = AccessPods.tokenFor("cookies").signed();
        Page tab = browser.tab();
        tab.context()
                .addCookies(
                        List.of(
                                new Cookie("__Host-parley", token)
                                        .setUrl(parley().replace("http:", "https:"))
                                        .setSecure(true)
                                        .setHttpOnly(true)));

        assertThat(publish(tab, parley(), "own page")).isEqualTo(200);
        assertThat(publish(tab, origin(friend), "named page")).isEqualTo(200);
        assertThat(publish(tab, origin(stranger), "foreign page")).isEqualTo("blocked");

        List<String> texts =
                AccessPods.with(pod, token)
                        .get("/rooms/cookies/messages")
                        .json()
                        .get("messages")
                        .findValuesAsText("text");
        assertThat(texts).containsExactly("own page", "named page");
    }

    private static Object publish(Page tab, String page, String text) {
        tab.navigate(page + "/");
        return tab.evaluate(PUBLISH, List.of(parley(), text));
    }
}
