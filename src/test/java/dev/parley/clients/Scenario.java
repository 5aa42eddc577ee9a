package dev.parley.clients;

import java.time.Duration;
import java.util.function.Consumer;

/** What happens to a client while messages are published in its room. */
enum Scenario {
    /** Unicode, line breaks, leading and trailing spaces, empty lines, and a long text. */
    TEXTS(
            "any text",
            run -> {
                run.awaitConnected();
                run.publish("Grüße, 世界 👋 e\u0301 \u202B");
                run.publish("one\ntwo\n\nafter an empty line\n");
                run.publish("  two leading spaces, two trailing  ");
                run.publish("\n\nonly after two line breaks");
                run.publish(": looks like a comment\nid: 7\ndata: x\nevent: y\nretry: 1");
                run.publish("\ttab and \u00A0 and {\"json\": \"\\n\"}");
                run.publish(ScenarioRun.longText());
                run.publish("the end");
                run.awaitUpToDate();
            }),

    /** The pod is killed with SIGKILL and starts again on its port. */
    KILLED_POD(
            "`kill -9` and return",
            run -> {
                run.awaitConnected();
                run.publish("before 1", "before 2");
                run.awaitUpToDate();
                run.killPod();
                run.publish("meanwhile 1", "meanwhile 2");
                run.restartPod();
                run.awaitUpToDate();
                run.publish("after 1", "after 2");
                run.awaitUpToDate();
            }),

    /** The pod is terminated, sends goodbye, and clients reconnect to another pod. */
    DRAINED_POD(
            "drain and return",
            run -> {
                run.awaitConnected();
                run.publish("before 1", "before 2");
                run.awaitUpToDate();
                run.leadNewConnectionsToTheOtherPod();
                run.terminatePod();
                run.publish("meanwhile 1", "meanwhile 2");
                run.awaitPodEnd();
                run.awaitUpToDate();
                run.publish("after 1", "after 2");
                run.awaitUpToDate();
            }),

    /**
     * The connection is lost before the client has seen a message; some are published until it
     * returns.
     */
    RETURN_BEFORE_THE_FIRST_MESSAGE(
            "return before the first message",
            run -> {
                run.awaitPosition();
                run.loseConnections();
                run.publish("meanwhile 1", "meanwhile 2");
                run.allowConnections();
                run.awaitUpToDate();
                run.publish("after 1");
                run.awaitUpToDate();
                run.expectFromTheFirst();
            }),

    /** The connection is reset when a third of a message of 60 KB has arrived. */
    CUT_MESSAGE(
            "cut in a message",
            run -> {
                run.awaitConnected();
                run.cutConnectionsAfter(20_000);
                run.publish(ScenarioRun.longText());
                run.awaitReconnected();
                run.allowConnections();
                run.awaitUpToDate();
                run.publish("after 1");
                run.awaitUpToDate();
            }),

    /** Nothing is published for 40 seconds; the client stays on its connection. */
    SILENCE(
            "40 s of silence",
            run -> {
                run.awaitConnected();
                run.awaitUpToDate();
                run.beSilentFor(Duration.ofSeconds(40));
                run.publish("after 1");
                run.awaitUpToDate();
                run.expectNoReconnect();
            });

    private final String title;

    @SuppressWarnings("ImmutableEnumChecker") // A lambda without state.
    private final Consumer<ScenarioRun> script;

    Scenario(String title, Consumer<ScenarioRun> script) {
        this.title = title;
        this.script = script;
    }

    /** The title as the document writes it. */
    String title() {
        return title;
    }

    /** Lets this happen to all clients of a run. */
    void apply(ScenarioRun run) {
        script.accept(run);
    }
}
