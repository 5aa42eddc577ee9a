package dev.parley.clients;

import java.time.Duration;
import java.util.function.Consumer;

/** What happens to a client while messages are published in its room. */
enum Scenario {
    /** Unicode, line breaks, leading and trailing spaces, empty lines, and a long text. */
    TEXTS(
            "any text",
            stage -> {
                stage.awaitConnected();
                stage.publish("Grüße, 世界 👋 e\u0301 \u202B");
                stage.publish("one\ntwo\n\nafter an empty line\n");
                stage.publish("  two leading spaces, two trailing  ");
                stage.publish("\n\nonly after two line breaks");
                stage.publish(": looks like a comment\nid: 7\ndata: x\nevent: y\nretry: 1");
                stage.publish("\ttab and \u00A0 and {\"json\": \"\\n\"}");
                stage.publish(Stage.longText());
                stage.publish("the end");
                stage.awaitUpToDate();
            }),

    /** The pod is killed with SIGKILL and starts again on its port. */
    KILLED_POD(
            "`kill -9` and return",
            stage -> {
                stage.awaitConnected();
                stage.publish("before 1", "before 2");
                stage.awaitUpToDate();
                stage.killPod();
                stage.publish("meanwhile 1", "meanwhile 2");
                stage.restartPod();
                stage.awaitUpToDate();
                stage.publish("after 1", "after 2");
                stage.awaitUpToDate();
            }),

    /** The pod is terminated, sends goodbye, and clients reconnect to another pod. */
    DRAINED_POD(
            "drain and return",
            stage -> {
                stage.awaitConnected();
                stage.publish("before 1", "before 2");
                stage.awaitUpToDate();
                stage.leadNewConnectionsToTheOtherPod();
                stage.terminatePod();
                stage.publish("meanwhile 1", "meanwhile 2");
                stage.awaitPodEnd();
                stage.awaitUpToDate();
                stage.publish("after 1", "after 2");
                stage.awaitUpToDate();
            }),

    /**
     * The connection is lost before the client has seen a message; some are published until it
     * returns.
     */
    RETURN_BEFORE_THE_FIRST_MESSAGE(
            "return before the first message",
            stage -> {
                stage.awaitPosition();
                stage.loseConnections();
                stage.publish("meanwhile 1", "meanwhile 2");
                stage.allowConnections();
                stage.awaitUpToDate();
                stage.publish("after 1");
                stage.awaitUpToDate();
                stage.expectFromTheFirst();
            }),

    /** The connection is reset when a third of a message of 60 KB has arrived. */
    CUT_MESSAGE(
            "cut in a message",
            stage -> {
                stage.awaitConnected();
                stage.cutConnectionsAfter(20_000);
                stage.publish(Stage.longText());
                stage.awaitReconnected();
                stage.allowConnections();
                stage.awaitUpToDate();
                stage.publish("after 1");
                stage.awaitUpToDate();
            }),

    /** Nothing is published for 40 seconds; the client stays on its connection. */
    SILENCE(
            "40 s of silence",
            stage -> {
                stage.awaitConnected();
                stage.awaitUpToDate();
                stage.beSilentFor(Duration.ofSeconds(40));
                stage.publish("after 1");
                stage.awaitUpToDate();
                stage.expectNoReconnect();
            });

    private final String title;

    @SuppressWarnings("ImmutableEnumChecker") // A lambda without state.
    private final Consumer<Stage> script;

    Scenario(String title, Consumer<Stage> script) {
        this.title = title;
        this.script = script;
    }

    /** The title as the document writes it. */
    String title() {
        return title;
    }

    /** Takes all clients of the stage through the scenario. */
    void play(Stage stage) {
        script.accept(stage);
    }
}
