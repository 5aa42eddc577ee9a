package dev.parley.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.parley.testsupport.TextFiles;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServicePort;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPBackendRef;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPPathMatch;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPRoute;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPRouteRule;
import io.fabric8.kubernetes.api.model.networking.v1.HTTPIngressPath;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.api.model.networking.v1.IngressServiceBackend;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Ingress and HTTPRoute lead to every call and page of the program, and only to its public port.
 */
final class RoutesTest {
    private static final Path PAGES = Path.of("src/main/resources/META-INF/resources");

    static Stream<Arguments> ingresses() {
        return Manifests.withEach(Ingress.class);
    }

    static Stream<Arguments> gatewayRoutes() {
        return Manifests.withEach(HTTPRoute.class);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("ingresses")
    void ingress_leadsToThePublicPort(Manifests manifests, Ingress ingress) {
        List<HTTPIngressPath> paths = ingress.getSpec().getRules().get(0).getHttp().getPaths();

        assertRouted(
                request ->
                        paths.stream()
                                .anyMatch(p -> matches(p.getPathType(), p.getPath(), request)));
        for (HTTPIngressPath path : paths) {
            IngressServiceBackend backend = path.getBackend().getService();
            assertThat(backend.getPort().getName()).isEqualTo("http");
            assertThat(manifests.one(Service.class, backend.getName()).getSpec().getPorts())
                    .extracting(ServicePort::getName)
                    .contains("http");
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("ingresses")
    void ingress_doesNotBufferAndWaitsLongerThanTheHeartbeat(Manifests manifests, Ingress ingress) {
        String prefix = "nginx.ingress.kubernetes.io/";

        assertThat(ingress.getMetadata().getAnnotations())
                .as(manifests.name())
                .containsEntry(prefix + "proxy-buffering", "off")
                .hasEntrySatisfying(
                        prefix + "proxy-read-timeout",
                        value -> assertThat(Integer.parseInt(value)).isGreaterThan(3 * 15));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("gatewayRoutes")
    void gatewayRoute_leadsToThePublicPort(Manifests manifests, HTTPRoute route) {
        List<HTTPRouteRule> rules = route.getSpec().getRules();

        assertRouted(request -> rules.stream().anyMatch(rule -> matches(rule, request)));
        for (HTTPRouteRule rule : rules) {
            assertThat(rule.getBackendRefs()).hasSize(1);
            HTTPBackendRef backend = rule.getBackendRefs().get(0);
            assertThat(manifests.one(Service.class, backend.getName()).getSpec().getPorts())
                    .extracting(ServicePort::getName, ServicePort::getPort)
                    .contains(tuple("http", backend.getPort()));
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("gatewayRoutes")
    void gatewayRoute_letsStreamsLast(Manifests manifests, HTTPRoute route) {
        for (String stream : List.of("/events", "/events/", "/clock", "/clock/")) {
            assertThat(route.getSpec().getRules())
                    .as(manifests.name())
                    .filteredOn(rule -> matches(rule, stream))
                    .first()
                    .satisfies(rule -> assertThat(rule.getTimeouts().getRequest()).isEqualTo("0s"));
        }
    }

    private static void assertRouted(Predicate<String> routed) {
        assertThat(ProgramNames.CALLS).allMatch(routed);
        assertThat(TextFiles.below(PAGES, ""))
                .extracting(file -> "/" + PAGES.relativize(file))
                .isNotEmpty()
                .allMatch(routed);
    }

    private static boolean matches(HTTPRouteRule rule, String request) {
        return rule.getMatches().stream()
                .anyMatch(
                        match -> {
                            HTTPPathMatch path = match.getPath();
                            return matches(path.getType(), path.getValue(), request);
                        });
    }

    /** Matches whole path elements, as Ingress's Prefix and the Gateway API's PathPrefix do. */
    private static boolean matches(String type, String path, String request) {
        String prefix = path.equals("/") ? path : path + "/";
        return request.equals(path) || (type.endsWith("Prefix") && request.startsWith(prefix));
    }
}
