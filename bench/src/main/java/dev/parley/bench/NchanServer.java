package dev.parley.bench;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Starts nginx with the nchan module, as Debian's {@code libnginx-mod-nchan} installs it. */
final class NchanServer {

    private static final Path NGINX = Path.of("/usr/sbin/nginx");
    private static final Path MODULE = Path.of("/usr/lib/nginx/modules/ngx_nchan_module.so");

    private NchanServer() {}

    static boolean isInstalled() {
        return Files.isExecutable(NGINX) && Files.exists(MODULE);
    }

    static RunningServer start(Path directory, Optional<Redis> redis) throws IOException {
        Path home = directory.toAbsolutePath();
        int port = RunningServer.freePort();
        String storage =
                redis.map(r -> "nchan_redis_url \"" + r.uri() + "\"; nchan_use_redis on;")
                        .orElse("");
        Path config = home.resolve("nginx.conf");
        Files.writeString(config, config(home, port, storage));
        List<String> command =
                List.of(NGINX.toString(), "-p", home.toString(), "-c", config.toString());
        return RunningServer.start(
                new ProcessBuilder(command),
                home.resolve("server.log"),
                port,
                List.of(URI.create("http://127.0.0.1:" + port + "/ready")),
                false);
    }

    /** The history is as long as Parley's default; the other limits are above what is measured. */
    private static String config(Path home, int port, String storage) {
        return """
            load_module %s;
            daemon off;
            worker_processes %d;
            worker_rlimit_nofile 20000;
            pid %s/nginx.pid;
            error_log stderr warn;
            events {
              worker_connections 19990;
            }
            http {
              access_log off;
              keepalive_requests 100000000;
              keepalive_timeout 3600s;
              client_body_buffer_size 64k;
              client_body_temp_path %3$s/body;
              proxy_temp_path %3$s/proxy;
              fastcgi_temp_path %3$s/fastcgi;
              uwsgi_temp_path %3$s/uwsgi;
              scgi_temp_path %3$s/scgi;
              nchan_shared_memory_size 256M;
              server {
                listen 127.0.0.1:%4$d backlog=16384;
                location = /ready {
                  return 200 "ok";
                }
                location = /send {
                  nchan_publisher;
                  nchan_channel_id lobby;
                  nchan_message_buffer_length 10000;
                  nchan_message_timeout 24h;
                  %5$s
                }
                location = /events {
                  nchan_subscriber eventsource;
                  nchan_channel_id lobby;
                  nchan_subscriber_first_message newest;
                  %5$s
                }
              }
            }
            """
                .formatted(MODULE, Runtime.getRuntime().availableProcessors(), home, port, storage);
    }
}
