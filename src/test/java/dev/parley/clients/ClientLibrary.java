package dev.parley.clients;

import dev.parley.testsupport.Json;

/** A client library, and what its user has to set. */
enum ClientLibrary {
    BROWSER("`EventSource` of Chromium", Host.BROWSER, "browser", "nothing"),
    RECONNECTING_EVENTSOURCE(
            "[reconnecting-eventsource](https://www.npmjs.com/package/reconnecting-eventsource) 1.6",
            Host.BROWSER,
            "reconnecting-eventsource",
            "listeners for `message` and `position`"),
    EVENT_SOURCE_POLYFILL(
            "[event-source-polyfill](https://www.npmjs.com/package/event-source-polyfill) 1.0",
            Host.BROWSER,
            "event-source-polyfill",
            "nothing"),
    FETCH_EVENT_SOURCE(
            "[@microsoft/fetch-event-source]"
                    + "(https://www.npmjs.com/package/@microsoft/fetch-event-source) 2.0",
            Host.BROWSER,
            "fetch-event-source",
            "`format=json`, `onclose` that throws, `openWhenHidden`"),
    SSE_JS(
            "[sse.js](https://www.npmjs.com/package/sse.js) 2.8",
            Host.BROWSER,
            "sse",
            "`autoReconnect`"),
    EVENTSOURCE(
            "[eventsource](https://www.npmjs.com/package/eventsource) 5.1",
            Host.NODE,
            "eventsource",
            "nothing"),
    EVENTSOURCE_2(
            "[eventsource](https://www.npmjs.com/package/eventsource) 2.0",
            Host.NODE,
            "eventsource-2",
            "nothing"),
    EVENTSOURCE_CLIENT(
            "[eventsource-client](https://www.npmjs.com/package/eventsource-client) 1.2",
            Host.NODE,
            "eventsource-client",
            "nothing"),
    EVENT_SOURCE_PLUS(
            "[event-source-plus](https://www.npmjs.com/package/event-source-plus) 0.1",
            Host.NODE,
            "event-source-plus",
            "`format=json`"),
    LAUNCHDARKLY_EVENTSOURCE(
            "[launchdarkly-eventsource](https://www.npmjs.com/package/launchdarkly-eventsource) 2.2",
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
