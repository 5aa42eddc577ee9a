package dev.parley.bench.load;

import java.io.IOException;

/** Does one run against a server that listens already, and prints its figures as one JSON line. */
public final class LoadClient {

    private LoadClient() {}

    /**
     * Prints nothing but the figures.
     *
     * @param args see {@link Spec}
     */
    public static void main(String[] args) throws IOException, InterruptedException {
        Spec spec = Spec.parse(args);
        var server = new ServerProbe(spec.pid(), spec.jvm());
        try (var readers = new ReaderLoop(spec);
                var publishers = new Publishers(spec)) {
            System.out.println(run(spec, readers, publishers, server).json());
        }
    }

    private static Figures run(
            Spec spec, ReaderLoop readers, Publishers publishers, ServerProbe server)
            throws IOException, InterruptedException {
        return switch (spec.mode()) {
            case "fanout" -> new FanOutRun(spec, readers, publishers, server).run();
            case "publish" -> new PublishRun(spec, publishers, server).run();
            case "idle" -> new IdleRun(spec, readers, server).run();
            case "storm" -> new StormRun(spec, readers, publishers, server).run();
            default -> throw new IllegalArgumentException("no such mode: " + spec.mode());
        };
    }
}
