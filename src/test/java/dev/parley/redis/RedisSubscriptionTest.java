package dev.parley.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.redis.RedisSubscription.Kind;
import dev.parley.testsupport.Timeouts;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import io.vertx.redis.client.impl.types.BulkType;
import io.vertx.redis.client.impl.types.ErrorType;
import io.vertx.redis.client.impl.types.NumberType;
import io.vertx.redis.client.impl.types.PushType;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Answers of a node of a Cluster in orders that a real one gives rarely. */
class RedisSubscriptionTest {

    private static final String KITCHEN = "parley:{kitchen}:live";
    private static final String GARDEN = "parley:{garden}:live";

    private final Vertx vertx = Vertx.vertx();
    private final List<Set<String>> lost = new CopyOnWriteArrayList<>();
    private final List<String> refused = new CopyOnWriteArrayList<>();
    private final List<String> messages = new CopyOnWriteArrayList<>();
    private final RedisSubscription subscription =
            new RedisSubscription(
                    vertx,
                    (channel, payload) -> messages.add(channel + " " + payload),
                    (connection, reason) -> refused.add(reason),
                    lost::add);

    @AfterEach
    void closeVertx() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    @Test
    void channelWhoseSlotMovesAway_isLost_andNotSubscribedToAgain() {
        var node = new ScriptedNode();
        Future<Void> kitchen = subscription.subscribe(KITCHEN, Kind.SHARD);
        Future<Void> joined = subscription.join(node.connection);
        node.answer("ssubscribe", KITCHEN);
        assertThat(kitchen.succeeded()).isTrue();
        assertThat(joined.succeeded()).isTrue();

        node.answer("sunsubscribe", KITCHEN);

        assertThat(lost).containsExactly(Set.of(KITCHEN));
        assertThat(subscription.join(new ScriptedNode().connection).succeeded()).isTrue();
    }

    @Test
    void slotThatTheNodeDoesNotHave_isLost_andTheOthersAreJoined() {
        var node = new ScriptedNode();
        Future<Void> kitchen = subscription.subscribe(KITCHEN, Kind.SHARD);
        Future<Void> garden = subscription.subscribe(GARDEN, Kind.SHARD);
        Future<Void> joined = subscription.join(node.connection);
        node.awaitCommands(2);

        for (String command : node.commands) {
            if (command.contains(KITCHEN)) {
                node.refuse("MOVED " + ClusterSlots.slotOf(KITCHEN) + " 127.0.0.1:7001");
            } else {
                node.answer("ssubscribe", GARDEN);
            }
        }

        assertThat(joined.succeeded()).isTrue();
        assertThat(garden.succeeded()).isTrue();
        assertThat(kitchen.failed()).isTrue();
        assertThat(lost).containsExactly(Set.of(KITCHEN));
        assertThat(refused).isEmpty();
    }

    @Test
    void clusterThatIsDown_losesTheChannel_andNotTheConnection() {
        var node = new ScriptedNode();
        subscription.join(node.connection);
        Future<Void> kitchen = subscription.subscribe(KITCHEN, Kind.SHARD);

        node.refuse("CLUSTERDOWN The cluster is down");

        assertThat(kitchen.failed()).isTrue();
        assertThat(lost).containsExactly(Set.of(KITCHEN));
        assertThat(refused).isEmpty();
    }

    /**
     * The slot moves away while the channel is left: what the node says unasked looks like the
     * answer, and the answer is a refusal, which is not that of the next command.
     */
    @Test
    void refusalOfALeftChannel_isNotTakenForThatOfTheNextOne() {
        var node = new ScriptedNode();
        subscription.join(node.connection);
        subscription.subscribe(KITCHEN, Kind.SHARD);
        node.answer("ssubscribe", KITCHEN);

        subscription.unsubscribe(KITCHEN);
        Future<Void> garden = subscription.subscribe(GARDEN, Kind.SHARD);
        node.answer("sunsubscribe", KITCHEN);
        node.refuse("MOVED " + ClusterSlots.slotOf(KITCHEN) + " 127.0.0.1:7001");
        assertThat(garden.isComplete()).isFalse();
        node.answer("ssubscribe", GARDEN);

        assertThat(garden.succeeded()).isTrue();
        assertThat(lost).isEmpty();
        assertThat(refused).isEmpty();
    }

    @Test
    void channelThatIsLeftAndAskedForAgain_isConfirmedByTheSecondAnswer() {
        var node = new ScriptedNode();
        subscription.join(node.connection);
        Future<Void> first = subscription.subscribe(KITCHEN, Kind.CHANNEL);
        subscription.unsubscribe(KITCHEN);
        Future<Void> second = subscription.subscribe(KITCHEN, Kind.CHANNEL);
        node.awaitCommands(3);
        assertThat(node.commands)
                .containsExactly(
                        "subscribe " + KITCHEN, "unsubscribe " + KITCHEN, "subscribe " + KITCHEN);

        node.answer("subscribe", KITCHEN);
        node.answer("unsubscribe", KITCHEN);
        assertThat(first.failed()).isTrue();
        assertThat(second.isComplete()).isFalse();
        node.answer("subscribe", KITCHEN);

        assertThat(second.succeeded()).isTrue();
    }

    @Test
    void patternThatIsRefused_isGoneWithout() {
        var node = new ScriptedNode();
        subscription.subscribe("parley:liv[e]", Kind.PATTERN);
        subscription.subscribe("chat", Kind.CHANNEL);
        Future<Void> joined = subscription.join(node.connection);

        node.refuse("NOPERM no permission for the channel");
        node.answer("subscribe", "chat");

        assertThat(joined.succeeded()).isTrue();
        assertThat(refused).isEmpty();
    }

    @Test
    void patternThatMayNotBeLeft_costsNeitherTheConnectionNorTheNextAnswer() {
        var node = new ScriptedNode();
        subscription.join(node.connection);
        subscription.subscribe("parley:liv[e]", Kind.PATTERN);
        node.answer("psubscribe", "parley:liv[e]");

        subscription.unsubscribe("parley:liv[e]");
        Future<Void> chat = subscription.subscribe("chat", Kind.CHANNEL);
        node.refuse("NOPERM this user has no permissions to run the 'punsubscribe' command");
        assertThat(chat.isComplete()).isFalse();
        node.answer("subscribe", "chat");

        assertThat(chat.succeeded()).isTrue();
        assertThat(refused).isEmpty();
    }

    @Test
    void channelThatIsRefusedLater_needsAnotherConnection() {
        var node = new ScriptedNode();
        subscription.join(node.connection);
        subscription.subscribe(KITCHEN, Kind.SHARD);

        node.refuse("NOPERM no permission for the channel");

        assertThat(refused).singleElement().asString().contains("NOPERM");
        assertThat(lost).isEmpty();
    }

    @Test
    void messages_areReceived_whateverTheirKind() {
        var node = new ScriptedNode();
        subscription.join(node.connection);

        node.push("message", "chat", "a");
        node.push("smessage", KITCHEN, "b");
        node.push("pmessage", "parley:liv[e]", "parley:live", "c");

        assertThat(messages).containsExactly("chat a", KITCHEN + " b", "parley:live c");
    }

    /** A pod may be without Redis for hours, and clients ask for rooms all the time. */
    @Test
    void connectionThatHasEnded_getsNoMoreCommands_andTheNextOneSubscribesToWhatIsWanted() {
        var node = new ScriptedNode();
        Future<Void> kitchen = subscription.subscribe(KITCHEN, Kind.CHANNEL);
        subscription.join(node.connection);
        node.answer("subscribe", KITCHEN);
        node.hasEnded = true;
        subscription.subscribe(GARDEN, Kind.CHANNEL);
        node.awaitCommands(2);
        Timeouts.await("the end to be known").until(() -> !refused.isEmpty());

        for (int i = 0; i < 100; i++) {
            subscription.subscribe("made up " + i, Kind.CHANNEL);
            subscription.unsubscribe("made up " + i);
        }
        subscription.unsubscribe(GARDEN);
        Future<Void> hall = subscription.subscribe("hall", Kind.CHANNEL);
        awaitQueuedCommands();

        assertThat(node.commands).hasSize(2);
        assertThat(refused).containsExactly("connection closed");
        var next = new ScriptedNode();
        Future<Void> joined = subscription.join(next.connection);
        next.awaitCommands(1);
        String[] channels = next.commands.get(0).split(" ");
        assertThat(channels).containsExactlyInAnyOrder("subscribe", KITCHEN, "hall");
        next.answer("subscribe", channels[1]);
        next.answer("subscribe", channels[2]);
        assertThat(List.of(kitchen, hall, joined)).allMatch(Future::succeeded);
    }

    @Test
    void connectionThatEndsWhileItIsJoined_isNotRefusedBesides() {
        var node = new ScriptedNode();
        node.hasEnded = true;
        subscription.subscribe(KITCHEN, Kind.CHANNEL);

        Future<Void> joined = subscription.join(node.connection);

        Timeouts.await("the end").until(joined::failed);
        subscription.subscribe(GARDEN, Kind.CHANNEL);
        awaitQueuedCommands();
        assertThat(node.commands).hasSize(1);
        assertThat(refused).isEmpty();
    }

    /** The end of a connection is learned of late, when there is another one. */
    @Test
    void formerConnection_isNotMistakenForThePresentOne() {
        var former = new ScriptedNode();
        former.hasEnded = true;
        var present = new ScriptedNode();
        subscription.subscribe(KITCHEN, Kind.CHANNEL);
        subscription.join(former.connection);
        subscription.join(present.connection);
        former.awaitCommands(1);
        awaitQueuedCommands();
        present.answer("subscribe", KITCHEN);

        subscription.subscribe(GARDEN, Kind.CHANNEL);

        present.awaitCommands(2);
        assertThat(refused).isEmpty();
    }

    /** The subscription sends commands on the context of the thread that made it. */
    private void awaitQueuedCommands() {
        var turn = new CompletableFuture<Void>();
        vertx.getOrCreateContext().runOnContext(now -> turn.complete(null));
        assertThat(turn).succeedsWithin(Timeouts.LIMIT);
    }

    /** A connection that records commands, and whose answers are scripted. */
    private static final class ScriptedNode {

        private final List<String> commands = new CopyOnWriteArrayList<>();
        private volatile Handler<Response> handler = push -> {};
        private volatile boolean hasEnded;
        private final RedisConnection connection =
                (RedisConnection)
                        Proxy.newProxyInstance(
                                RedisConnection.class.getClassLoader(),
                                new Class<?>[] {RedisConnection.class},
                                (proxy, method, args) -> call(method.getName(), args));

        @SuppressWarnings("unchecked")
        private Object call(String method, Object[] args) {
            if (method.equals("send")) {
                commands.add(text((Request) args[0]));
                return hasEnded
                        ? Future.failedFuture("Connection is closed")
                        : Future.succeededFuture();
            }
            handler = (Handler<Response>) args[0];
            return connection;
        }

        /** The command and its channels, from what would be sent. */
        private static String text(Request request) {
            List<String> lines = request.toString().lines().toList();
            var words = new StringBuilder();
            for (int i = 2; i < lines.size(); i += 2) {
                words.append(i == 2 ? "" : " ").append(lines.get(i));
            }
            return words.toString();
        }

        void awaitCommands(int count) {
            Timeouts.await(count + " commands").until(() -> commands.size() >= count);
        }

        void answer(String word, String channel) {
            PushType push = PushType.create(3);
            push.add(bulk(word));
            push.add(bulk(channel));
            push.add(NumberType.create(1));
            handler.handle(push);
        }

        void push(String... words) {
            PushType push = PushType.create(words.length);
            for (String word : words) {
                push.add(bulk(word));
            }
            handler.handle(push);
        }

        void refuse(String text) {
            handler.handle(ErrorType.create(text));
        }

        private static BulkType bulk(String text) {
            return BulkType.create(Buffer.buffer(text), false);
        }
    }
}
