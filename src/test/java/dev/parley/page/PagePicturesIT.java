package dev.parley.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;

import com.microsoft.playwright.Browser.NewContextOptions;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Page.ScreenshotOptions;
import com.microsoft.playwright.assertions.LocatorAssertions.IsInViewportOptions;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.ColorScheme;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Takes screenshots of the pages, for people to look at, into {@code target/screenshots/}. */
class PagePicturesIT extends PageBase {

    private static final Path DIRECTORY = Path.of("target", "screenshots");

    @AutoClose private static ParleyProcess parley;

    /** A device and a colour scheme. */
    enum Look {
        LIGHT_DESKTOP(ColorScheme.LIGHT, device -> device.setViewportSize(1200, 800)),
        DARK_DESKTOP(ColorScheme.DARK, device -> device.setViewportSize(1200, 800)),
        LIGHT_PHONE(ColorScheme.LIGHT, Look::phone),
        DARK_PHONE(ColorScheme.DARK, Look::phone);

        private final ColorScheme scheme;

        @SuppressWarnings("ImmutableEnumChecker") // The functions above have no state.
        private final UnaryOperator<NewContextOptions> device;

        Look(ColorScheme scheme, UnaryOperator<NewContextOptions> device) {
            this.scheme = scheme;
            this.device = device;
        }

        Page tab() {
            return browser.tab(options -> device.apply(options).setColorScheme(scheme));
        }

        String room() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        Path picture(String what) {
            return DIRECTORY.resolve(what + "-" + room() + ".png");
        }

        private static NewContextOptions phone(NewContextOptions options) {
            return options.setViewportSize(390, 760)
                    .setDeviceScaleFactor(2)
                    .setIsMobile(true)
                    .setHasTouch(true);
        }
    }

    @BeforeAll
    static void start() {
        parley = ParleyProcess.builder().fixedPort().start();
    }

    @ParameterizedTest
    @EnumSource
    void chat_fromFirstWordToLostConnection(Look look) {
        ChatPage page = ChatPage.open(look.tab(), parley, look.room());
        assertThat(page.log().getByText("No messages yet.")).isVisible();
        take(page.tab(), look.picture("chat-empty"));

        converse(page, look.room());
        take(page.tab(), look.picture("chat"));

        page.scrollUp(150);
        assertThat(page.messages().last()).not().isInViewport();
        new Http(parley.uri())
                .sendForm("Are you still reading?", "room", look.room(), "from", "Grace");
        assertThat(page.newer()).isVisible();
        take(page.tab(), look.picture("chat-scrolled-up"));

        page.newer().click();
        assertThat(page.newer()).isHidden();
        parley.kill();
        page.awaitReconnecting();
        page.say("Is this still going through?");
        assertThat(page.error()).containsText("Perhaps not sent");
        assertThat(page.messages().last()).isInViewport(new IsInViewportOptions().setRatio(1));
        take(page.tab(), look.picture("chat-reconnecting"));
        parley = parley.replacement();
    }

    private static void converse(ChatPage page, String room) {
        Http http = new Http(parley.uri());
        for (int i = 1; i <= 12; i++) {
            http.sendForm("Still counting sheep: " + i, "room", room, "from", "Night shift");
        }
        http.sendForm("Good morning! Is the build green?", "room", room, "from", "Grace");
        http.sendForm("It was, last night.", "room", room, "from", "Linus");
        http.sendForm(
                "Two pods, one Redis, and no one missed a word while I restarted both of them.",
                "room",
                room,
                "from",
                "Linus");
        page.name().fill("Ada");
        page.say("Then let us ship it 🚀");
        page.awaitMessage("Then let us ship it 🚀");
        page.say("Things to do first:\n  1. read the notes\n  2. tell people");
        assertThat(page.messages()).hasCount(17);
        http.sendForm("Who am I? <b>No one</b> knows.", "room", room);
        http.sendForm("שלום! מה שלומך היום?", "room", room, "from", "נועה");
        http.sendForm("https://example.org/" + "long/".repeat(24), "room", room, "from", "Grace");
        page.awaitMessage("https://example.org/" + "long/".repeat(24));
        page.text().fill("A message that\nis being written");
    }

    @ParameterizedTest
    @EnumSource
    void clock_showsTheTime(Look look) {
        Page tab = look.tab();

        tab.navigate(parley.uri("/clock.html").toString());

        assertThat(tab.getByRole(AriaRole.STATUS)).hasText("Live");
        take(tab, look.picture("clock"));
    }

    private static void take(Page tab, Path picture) {
        tab.screenshot(new ScreenshotOptions().setPath(picture));
    }
}
