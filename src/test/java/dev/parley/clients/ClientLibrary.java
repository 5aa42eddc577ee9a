package dev.parley.clients;

import dev.parley.testsupport.Json;

/** A client library, and what its user has to set. */
enum ClientLibrary {
    BROWSER("`EventSource` of Chromium", Host.BROWSER, "browser", "nothing"),
    RECONNECTING_EVENTSOURCE(
            npm("reconnecting-eventsource", "1.6"),
            Host.BROWSER,
            "reconnecting-eventsource",
            "listeners for `message` and `position`"),
    EVENT_SOURCE_POLYFILL(
            npm("event-source-polyfill", "1.0"), Host.BROWSER, "event-source-polyfill", "nothing"),
    FETCH_EVENT_SOURCE(
            npm("@microsoft/fetch-event-source", "2.0"),
            Host.BROWSER,
            "fetch-event-source",
            "`format=json`, `onclose` that throws, `openWhenHidden`"),
    SSE_JS(npm("sse.js", "2.8"), Host.BROWSER, "sse", "`autoReconnect`"),
    EVENTSOURCE(npm("eventsource", "5.1"), Host.NODE, "eventsource", "nothing"),
    EVENTSOURCE_2(npm("eventsource", "2.0"), Host.NODE, "eventsource-2", "nothing"),
    EVENTSOURCE_CLIENT(
            npm("eventsource-client", "1.2"), Host.NODE, "eventsource-client", "nothing"),
    EVENT_SOURCE_PLUS(
            npm("event-source-plus", "0.1"), Host.NODE, "event-source-plus", "`format=json`"),
    LAUNCHDARKLY_EVENTSOURCE(
            npm("launchdarkly-eventsource", "2.2"),
            Host.NODE,
            "launchdarkly-eventsource",
            "`heartbeat=4`, an `onerror`"),
    OKHTTP_SSE(
            "[okhttp-sse](https://square.github.io/okhttp/) 4.12",
            Host.JAVA,
            "okhttp-sse",
            "a loop that connects again"),
    OKHTTP_EVENTSOURCE(
            "[okhttp-eventsource](https://github.com/launchdarkly/okhttp-eventsource) 4.1",
            Host.JAVA,
            "okhttp-eventsource",
            "`heartbeat=4`"),
    JERSEY(
            "[Jersey](https://eclipse-ee4j.github.io/jersey/) 3.1",
            Host.JAVA,
            "jersey",
            "`format=json`, a loop for failures"),
    CURL("[curl](https://curl.se/)", Host.SHELL, "curl", "a loop that connects again");

    /** Where a library runs. */
    enum Host {
        BROWSER(".js"),
        NODE(".js"),
        JAVA(".java"),
        SHELL(".sh");

        private final String suffix;

        Host(String suffix) {
            this.suffix = suffix;
        }
    }

    private final String title;
    private final Host host;
    private final String driver;
    private final String settings;

    ClientLibrary(String title, Host host, String driver, String settings) {
        this.title = title;
        this.host = host;
        this.driver = driver;
        this.settings = settings;
    }

    private static String npm(String name, String version) {
        return "[" + name + "](https://www.npmjs.com/package/" + name + ") " + version;
    }

    /** The name and version as the document writes them. */
    String title() {
        return title;
    }

    Host host() {
        return host;
    }

    /** The name of the driver, without its suffix. */
    String driver() {
        return driver;
    }

    /** The file name of the driver, which the document's examples refer to. */
    String example() {
        return driver + host.suffix;
    }

    /** What has to be set, in a few words of Markdown. */
    String settings() {
        return settings;
    }

    /** The text of a message, from the data that the library showed. */
    String text(String data) {
        if (!settings.contains("format=json") || data.isEmpty()) {
            return data;
        }
        return Json.parse(data).get("text").textValue();
    }
}
