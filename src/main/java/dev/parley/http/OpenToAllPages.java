package dev.parley.http;

import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.util.List;
import java.util.Optional;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/**
 * Logs at the start that pages of any origin may use the pod. It is the default, and a surprise in
 * an intranet: a page from outside, opened by a person inside, may then read and publish. The
 * opposite surprise is logged too: an origin that is listed, but lets no page in.
 */
@Singleton
final class OpenToAllPages {

    private static final Logger LOG = Logger.getLogger(OpenToAllPages.class);

    private final AllowedOrigins origins;

    OpenToAllPages(
            @ConfigProperty(name = "quarkus.http.cors.origins") Optional<List<String>> origins) {
        this.origins = new AllowedOrigins(origins);
    }

    void warn(@Observes StartupEvent event) {
        for (String one : origins.neverSent()) {
            LOG.warnf(
                    "quarkus.http.cors.origins has %s, which lets no page in, because no browser"
                            + " sends it as an origin: write https://app.example or"
                            + " https://app.example:8443, or a regular expression such as"
                            + " /https://.*\\.app\\.example/",
                    one);
        }
        if (origins.haveAsteriskAmongOthers()) {
            LOG.warn(
                    "quarkus.http.cors.origins has * among other origins, where it lets no page in:"
                            + " write * alone for any page, or leave it out");
        } else if (origins.areAll()) {
            LOG.info(
                    "Any web page may read and publish here, through the browser of anyone who can"
                            + " reach this pod: quarkus.http.cors.origins lets them. List the"
                            + " origins of your pages there to refuse all others");
        }
    }
}
