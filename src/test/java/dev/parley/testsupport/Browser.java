package dev.parley.testsupport;

import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Playwright;
import com.microsoft.playwright.assertions.PlaywrightAssertions;
import java.io.Closeable;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * A real Chromium without a window and with a new profile: the executable that the environment
 * variable {@code PARLEY_TEST_CHROMIUM} names, or else one on the {@code PATH}. Only the thread
 * that started it may use it.
 */
public final class Browser implements Closeable {

    private static final String VARIABLE = "PARLEY_TEST_CHROMIUM";

    private static final List<String> NAMES =
            List.of("chromium", "google-chrome", "chromium-browser", "google-chrome-stable");
    private static final List<String> ARGUMENTS =
            List.of(
                    "--headless",
                    "--disable-gpu",
                    "--no-first-run",
                    "--disable-background-networking",
                    "--disable-component-update",
                    "--disable-sync");

    private final Playwright playwright;
    private final com.microsoft.playwright.Browser chromium;

    private Browser(Playwright playwright, com.microsoft.playwright.Browser chromium) {
        this.playwright = playwright;
        this.chromium = chromium;
    }

    /** Starts a browser. If none is installed, the calling test is skipped; in CI it fails. */
    public static Browser start() {
        Path executable = executable();
        PlaywrightAssertions.setDefaultAssertionTimeout(Timeouts.millis());
        Playwright playwright = Playwright.create(withoutDownload());
        try {
            return new Browser(playwright, playwright.chromium().launch(options(executable)));
        } catch (RuntimeException e) {
            playwright.close();
            throw e;
        }
    }

    /** Opens a tab in a new context, which shares no storage with other tabs. */
    public Page tab() {
        return tab(options -> options);
    }

    /** Opens a tab in a new context with these options, such as the size of the screen. */
    public Page tab(UnaryOperator<com.microsoft.playwright.Browser.NewContextOptions> device) {
        var options =
                new com.microsoft.playwright.Browser.NewContextOptions()
                        .setLocale("en-GB")
                        .setTimezoneId("UTC");
        Page page = chromium.newContext(device.apply(options)).newPage();
        page.setDefaultTimeout(Timeouts.millis());
        return page;
    }

    /** Closes all tabs; the browser keeps running. */
    public void closeTabs() {
        List.copyOf(chromium.contexts()).forEach(context -> context.close());
    }

    @Override
    public void close() {
        playwright.close();
    }

    private static Playwright.CreateOptions withoutDownload() {
        return new Playwright.CreateOptions()
                .setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1"));
    }

    private static BrowserType.LaunchOptions options(Path executable) {
        return new BrowserType.LaunchOptions()
                .setExecutablePath(executable)
                .setHeadless(true)
                .setTimeout(Timeouts.millis())
                // Chromium's sandbox does not work for root.
                .setChromiumSandbox(!System.getProperty("user.name").equals("root"))
                .setArgs(ARGUMENTS);
    }

    private static Path executable() {
        String named = System.getenv().getOrDefault(VARIABLE, "");
        if (!named.isBlank()) {
            return Path.of(named);
        }
        return NAMES.stream()
                .map(Tool::find)
                .flatMap(Optional::stream)
                .findFirst()
                .orElseThrow(
                        () -> Tool.missing("no browser: install Chromium, or set " + VARIABLE));
    }
}
