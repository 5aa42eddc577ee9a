package dev.parley.bench.load;

import java.io.IOException;

/**
 * Does one run against a server that is already listening, and prints its figures as one JSON line.
 */
public final class LoadClient {

    private LoadClient() {}

    /**
     * Does the run. Only the figures go to the standard output.
     *
     * @param args see {@link LoadOptions}
     */
    public static void main(String[] args) throws IOException, InterruptedException {
        LoadOptions options = LoadOptions.parse(args);
        var server = new ProcessStats(options.pids(), options.jvm());
        try (var readers = new ReaderLoop(options);
                var publishers = new Publishers(options)) {
            System.out.println(run(options, readers, publishers, server).json());
        }
    }

    private static Figures run(
            LoadOptions options, ReaderLoop readers, Publishers publishers, ProcessStats server)
            throws IOException, InterruptedException {
        return switch (options.mode()) {
            case "fanout" -> new FanOutRun(options, readers, publishers, server).run();
            case "publish" -> new PublishRun(options, publishers, server).run();
            case "idle" -> new IdleRun(options, readers, server).run();
            case "opening" -> new OpeningRun(options, readers, publishers, server).run();
            case "as-it-comes" -> new AsItComesRun(options, readers, server).run();
            case "cold" -> new ColdRun(options, readers, publishers, server).run();
            case "storm" -> new StormRun(options, readers, publishers, server).run();
            default -> throw new IllegalArgumentException("no such mode: " + options.mode());
        };
    }
}
