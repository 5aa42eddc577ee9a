package dev.parley.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.parley.access.AccessSettings;
import dev.parley.access.TokenSigner;
import dev.parley.ops.Manifests.Pods;
import dev.parley.testsupport.TextFiles;
import dev.parley.testsupport.Tool;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.ServicePort;
import io.fabric8.kubernetes.api.model.TopologySpreadConstraint;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.RollingUpdateDeployment;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyEgressRule;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyIngressRule;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyPeer;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyPort;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.openshift.api.model.monitoring.v1.Endpoint;
import io.fabric8.openshift.api.model.monitoring.v1.RelabelConfig;
import io.fabric8.openshift.api.model.monitoring.v1.ServiceMonitor;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The rendered objects agree with each other and with the program: names, ports, labels, keys and
 * times.
 */
final class ManifestsTest {

    private static final Pattern YAML_BLOCK =
            Pattern.compile("^( *)```yaml\\n(.*?)^ *```$", Pattern.MULTILINE | Pattern.DOTALL);

    /** An overlay with every component that the blocks of README are about. */
    private static final String EVERYTHING =
            """
            namespace: parley
            resources: [../production]
            components: [../../components/gateway, ../../components/access]
            """;

    @ParameterizedTest
    @MethodSource("dev.parley.ops.Manifests#all")
    void names_areUniqueAndShareOneNamespace(Manifests manifests) {
        String namespace = manifests.all(Namespace.class).get(0).getMetadata().getName();

        assertThat(manifests.objects())
                .doesNotHaveDuplicates()
                .extracting(o -> o.getKind() + " " + o.getMetadata().getName())
                .doesNotHaveDuplicates();
        assertThat(manifests.objects())
                .filteredOn(o -> !(o instanceof Namespace))
                .allSatisfy(o -> assertThat(o.getMetadata().getNamespace()).isEqualTo(namespace));
    }

    /** What a rollback no longer needs is found by this label: k8s/README.md. */
    @ParameterizedTest
    @MethodSource("dev.parley.ops.Manifests#all")
    void configMapsAndSecrets_areFoundByTheLabelOfParley(Manifests manifests) {
        assertThat(manifests.objects())
                .filteredOn(o -> o instanceof ConfigMap || o instanceof Secret)
                .isNotEmpty()
                .allSatisfy(
                        o ->
                                assertThat(o.getMetadata().getLabels())
                                        .as(o.getMetadata().getName())
                                        .containsEntry("app.kubernetes.io/part-of", "parley"));
    }

    static Stream<Arguments> services() {
        return Manifests.withEach(Service.class);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("services")
    void service_leadsToAPortOfItsPods(Manifests manifests, Service service) {
        Pods pods = manifests.selected(service.getSpec().getSelector());

        assertThat(service.getSpec().getPorts())
                .extracting(port -> port.getTargetPort().getValue())
                .isNotEmpty()
                .isSubsetOf(pods.portNames().toArray());
    }

    @ParameterizedTest
    @MethodSource("dev.parley.ops.Manifests#all")
    void selectors_findTheirPods(Manifests manifests) {
        for (Deployment deployment : manifests.all(Deployment.class)) {
            Map<String, String> labels = deployment.getSpec().getSelector().getMatchLabels();
            assertThat(manifests.selected(labels).owner()).isEqualTo(deployment);
        }
        for (StatefulSet set : manifests.all(StatefulSet.class)) {
            assertThat(manifests.selected(set.getSpec().getSelector().getMatchLabels()).owner())
                    .isEqualTo(set);
            Service service = manifests.one(Service.class, set.getSpec().getServiceName());
            assertThat(service.getSpec().getClusterIP()).isEqualTo("None");
        }
        for (PodDisruptionBudget budget : manifests.all(PodDisruptionBudget.class)) {
            Map<String, String> labels = budget.getSpec().getSelector().getMatchLabels();
            assertThat(manifests.selected(labels).name()).isEqualTo("parley");
            // While Redis is away pods are not ready, but keep their readers.
            assertThat(budget.getSpec().getUnhealthyPodEvictionPolicy())
                    .isIn(null, "IfHealthyBudget");
        }
        for (Pods pods : manifests.pods()) {
            for (TopologySpreadConstraint spread : pods.spec().getTopologySpreadConstraints()) {
                assertThat(manifests.selected(spread.getLabelSelector().getMatchLabels()))
                        .isEqualTo(pods);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("dev.parley.ops.Manifests#all")
    void probes_askTheProgramsOwnPaths(Manifests manifests) {
        Container parley = parley(manifests);

        assertThat(parley.getPorts())
                .extracting(ContainerPort::getName, ContainerPort::getContainerPort)
                .containsExactly(tuple("http", 8080), tuple("management", 9000));
        assertProbe(parley.getStartupProbe(), ProgramNames.STARTED);
        assertProbe(parley.getReadinessProbe(), ProgramNames.READY);
        assertProbe(parley.getLivenessProbe(), ProgramNames.LIVE);
    }

    @ParameterizedTest
    @MethodSource("dev.parley.ops.Manifests#all")
    void references_resolve(Manifests manifests) {
        for (Pods pods : manifests.pods()) {
            String account = pods.spec().getServiceAccountName();
            if (account != null) {
                ServiceAccount found = manifests.one(ServiceAccount.class, account);
                assertThat(found.getAutomountServiceAccountToken()).isFalse();
            }
            for (Volume volume : pods.spec().getVolumes()) {
                if (volume.getConfigMap() != null) {
                    manifests.one(ConfigMap.class, volume.getConfigMap().getName());
                }
            }
            assertThat(pods.containers()).allSatisfy(manifests::environment);
            assertThat(pods.containers())
                    .flatExtracting(Container::getVolumeMounts)
                    .extracting(VolumeMount::getName)
                    .containsExactlyInAnyOrderElementsOf(volumeNames(pods));
        }
    }

    @ParameterizedTest
    @MethodSource("dev.parley.ops.Manifests#all")
    void settings_areThoseOfTheProgram(Manifests manifests) {
        Map<String, String> environment = manifests.environment(parley(manifests));

        assertThat(environment.keySet()).isNotEmpty().isSubsetOf(ProgramNames.knownKeys());
        assertThat(environment).containsKey("QUARKUS_REDIS_PASSWORD");
        if (hasRedis(manifests)) {
            assertThat(environment).containsEntry("QUARKUS_REDIS_HOSTS", redisAddress(manifests));
        }
    }

    /** The program refuses both; with neither each pod would serve from its own memory. */
    @ParameterizedTest
    @MethodSource("dev.parley.ops.Manifests#all")
    void redis_isOneAddressOrAListOfServers(Manifests manifests) {
        Map<String, String> environment = manifests.environment(parley(manifests));
        boolean isList =
                environment.keySet().stream().anyMatch(k -> k.startsWith("PARLEY_REDIS_SERVERS_"));

        assertThat(environment.get("QUARKUS_REDIS_HOSTS").isBlank()).isEqualTo(isList);
    }

    /** All readers behind a proxy have one address, until the pods know those of the clients. */
    @ParameterizedTest
    @MethodSource("dev.parley.ops.Manifests#all")
    void limitsOfAnAddress_letOneProxyBringAllStreamsOfAPod(Manifests manifests) {
        Map<String, String> environment = manifests.environment(parley(manifests));
        int streams = Integer.parseInt(environment.get("PARLEY_LIMITS_CONNECTIONS"));

        assertThat(
                        Stream.of(
                                "PARLEY_LIMITS_CONNECTIONS_PER_ADDRESS",
                                "PARLEY_LIMITS_ROOMS_PER_ADDRESS"))
                .extracting(environment::get)
                .extracting(Integer::valueOf)
                .allMatch(limit -> limit >= streams);
    }

    /** A proxy is believed where a policy keeps everything else from the public port. */
    @ParameterizedTest
    @MethodSource("dev.parley.ops.Manifests#all")
    void addressOfTheClient_isTakenFromProxies_whereNothingElseReachesThePort(Manifests manifests) {
        boolean onlyProxies =
                manifests.all(NetworkPolicy.class).stream()
                        .filter(policy -> policy.getMetadata().getName().equals("parley"))
                        .flatMap(policy -> policy.getSpec().getIngress().stream())
                        .anyMatch(rule -> ports(rule).contains("http"));

        assertThat(
                        manifests
                                .environment(parley(manifests))
                                .get("QUARKUS_HTTP_PROXY_PROXY_ADDRESS_FORWARDING"))
                .isEqualTo(onlyProxies ? "true" : null);
    }

    @ParameterizedTest
    @MethodSource("dev.parley.ops.Manifests#all")
    void drain_fitsIntoTheGracePeriod(Manifests manifests) {
        Map<String, String> environment = manifests.environment(parley(manifests));
        Duration drain =
                seconds(environment, "PARLEY_DRAIN_DELAY")
                        .plus(seconds(environment, "PARLEY_DRAIN_WINDOW"));
        Duration lastGoodbyes = Duration.ofSeconds(2);
        Duration timeout = seconds(environment, "QUARKUS_SHUTDOWN_TIMEOUT");
        long grace = manifests.podsOf("parley").spec().getTerminationGracePeriodSeconds();

        assertThat(Duration.ofSeconds(grace)).isGreaterThan(drain.plus(lastGoodbyes).plus(timeout));
    }

    /** Otherwise the next pod would drain while readers of the last one are still on their way. */
    @Test
    void rollout_goesOnAfterTheDrainOfOnePod() {
        Manifests manifests = Manifests.named("overlays/production");
        Map<String, String> environment = manifests.environment(parley(manifests));
        int pause = manifests.one(Deployment.class, "parley").getSpec().getMinReadySeconds();

        assertThat(Duration.ofSeconds(pause))
                .isGreaterThan(
                        seconds(environment, "PARLEY_DRAIN_DELAY")
                                .plus(seconds(environment, "PARLEY_DRAIN_WINDOW"))
                                .plusSeconds(2)
                                .plus(seconds(environment, "QUARKUS_SHUTDOWN_TIMEOUT")));
    }

    @ParameterizedTest
    @MethodSource("dev.parley.ops.Manifests#all")
    void rollout_neverHasFewerPodsThanConfigured(Manifests manifests) {
        Deployment deployment = manifests.one(Deployment.class, "parley");
        RollingUpdateDeployment update = deployment.getSpec().getStrategy().getRollingUpdate();

        assertThat(update.getMaxUnavailable().getValue()).isEqualTo(0);
        assertThat(update.getMaxSurge().getValue()).isEqualTo(1);
    }

    static Stream<Arguments> serviceMonitors() {
        return Manifests.withEach(ServiceMonitor.class);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("serviceMonitors")
    void scrape_findsTheMetrics(Manifests manifests, ServiceMonitor monitor) {
        Map<String, String> labels = monitor.getSpec().getSelector().getMatchLabels();
        List<Service> services =
                manifests.all(Service.class).stream()
                        .filter(
                                s ->
                                        s.getMetadata()
                                                .getLabels()
                                                .entrySet()
                                                .containsAll(labels.entrySet()))
                        .toList();

        assertThat(services).hasSize(1);
        for (Endpoint endpoint : monitor.getSpec().getEndpoints()) {
            assertThat(services.get(0).getSpec().getPorts())
                    .extracting(ServicePort::getName)
                    .contains(endpoint.getPort());
            assertThat(endpoint.getPort()).isEqualTo(ProgramNames.MANAGEMENT);
            assertThat(endpoint.getPath()).isEqualTo(ProgramNames.METRICS_PATH);
        }
    }

    /**
     * Kubernetes takes a pod out of a Service when it is to stop, which is before its drain, unless
     * the Service has addresses of pods that are not ready. Clients must not come to such a pod.
     */
    @ParameterizedTest(name = "{0}")
    @MethodSource("serviceMonitors")
    void scrape_findsAPodUntilItEnds_andClientsDoNot(Manifests manifests, ServiceMonitor monitor) {
        List<Service> ofPods =
                manifests.all(Service.class).stream()
                        .filter(
                                s ->
                                        manifests
                                                .selected(s.getSpec().getSelector())
                                                .name()
                                                .equals("parley"))
                        .toList();
        Service scraped =
                manifests.one(
                        Service.class,
                        monitor.getSpec()
                                .getSelector()
                                .getMatchLabels()
                                .get("app.kubernetes.io/name"));

        assertThat(ofPods).contains(scraped).hasSize(2);
        assertThat(scraped.getSpec().getPublishNotReadyAddresses()).isTrue();
        assertThat(scraped.getSpec().getClusterIP()).isEqualTo("None");
        assertThat(scraped.getSpec().getPorts())
                .extracting(ServicePort::getName)
                .containsExactly(ProgramNames.MANAGEMENT);
        assertThat(manifests.one(Service.class, "parley").getSpec().getPublishNotReadyAddresses())
                .isNull();
    }

    /** The alerts and the dashboard know an installation by its job. */
    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {"parley", "blue-parley", "parley-blue"})
    void scrape_hasTheServiceOfClientsAsItsJob(String service) {
        ServiceMonitor monitor =
                Manifests.named("overlays/production").one(ServiceMonitor.class, "parley");
        String scraped = service.replace("parley", "parley-metrics");

        assertThat(monitor.getSpec().getEndpoints())
                .allSatisfy(
                        endpoint -> {
                            RelabelConfig job = endpoint.getRelabelings().get(0);
                            assertThat(job.getTargetLabel()).isEqualTo("job");
                            assertThat(job.getSourceLabels())
                                    .containsExactly("__meta_kubernetes_service_name");
                            assertThat(
                                            Pattern.compile(job.getRegex())
                                                    .matcher(scraped)
                                                    .replaceFirst(job.getReplacement()))
                                    .isEqualTo(service);
                        });
    }

    static Stream<Arguments> networkPolicies() {
        return Manifests.withEach(NetworkPolicy.class);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("networkPolicies")
    void networkPolicy_opensOnlyPortsThatPodsHave(Manifests manifests, NetworkPolicy policy) {
        Pods pods = manifests.selected(policy.getSpec().getPodSelector().getMatchLabels());

        assertThat(policy.getMetadata().getName()).isEqualTo(pods.name());
        for (NetworkPolicyIngressRule rule : policy.getSpec().getIngress()) {
            assertPorts(rule.getPorts(), pods);
            peers(manifests, rule.getFrom());
        }
        for (NetworkPolicyEgressRule rule : policy.getSpec().getEgress()) {
            peers(manifests, rule.getTo()).forEach(peer -> assertPorts(rule.getPorts(), peer));
        }
    }

    @Test
    void networkPolicy_letsProxiesReachThePublicPortOnly() {
        NetworkPolicy policy =
                Manifests.named("overlays/production").one(NetworkPolicy.class, "parley");

        assertThat(policy.getSpec().getIngress())
                .extracting(ManifestsTest::namespaces, ManifestsTest::ports)
                .containsExactly(
                        tuple(List.of("ingress-nginx", "gateway"), List.of("http")),
                        tuple(List.of("monitoring"), List.of(ProgramNames.MANAGEMENT)));
    }

    private static List<String> namespaces(NetworkPolicyIngressRule rule) {
        return rule.getFrom().stream()
                .map(NetworkPolicyPeer::getNamespaceSelector)
                .flatMap(
                        selector ->
                                Stream.concat(
                                        selector.getMatchLabels().values().stream(),
                                        selector.getMatchExpressions().stream()
                                                .flatMap(e -> e.getValues().stream())))
                .toList();
    }

    private static List<Object> ports(NetworkPolicyIngressRule rule) {
        return rule.getPorts().stream().map(port -> port.getPort().getValue()).toList();
    }

    @Test
    void dev_needsNothingInstalledBefore() {
        assertThat(Manifests.named("overlays/dev").objects())
                .extracting(HasMetadata::getApiVersion)
                .isSubsetOf("v1", "apps/v1", "policy/v1", "networking.k8s.io/v1");
    }

    static Stream<Manifests> overlaysWithRedis() {
        return Manifests.all().stream().filter(ManifestsTest::hasRedis);
    }

    @ParameterizedTest
    @MethodSource("overlaysWithRedis")
    void redis_acceptsConnectionsOfParleyOnly(Manifests manifests) {
        NetworkPolicy policy = manifests.one(NetworkPolicy.class, "parley-redis");

        assertThat(policy.getSpec().getPolicyTypes())
                .containsExactlyInAnyOrder("Ingress", "Egress");
        assertThat(policy.getSpec().getEgress()).isEmpty();
        assertThat(policy.getSpec().getIngress())
                .flatExtracting(NetworkPolicyIngressRule::getFrom)
                .singleElement()
                .satisfies(
                        peer -> {
                            assertThat(peer.getNamespaceSelector()).isNull();
                            assertThat(manifests.selected(peer.getPodSelector().getMatchLabels()))
                                    .isEqualTo(manifests.podsOf("parley"));
                        });
    }

    @ParameterizedTest
    @MethodSource("overlaysWithRedis")
    void redisAndParley_haveTheSamePassword(Manifests manifests) {
        Container redis = manifests.podsOf("parley-redis").spec().getContainers().get(0);
        String password = manifests.environment(parley(manifests)).get("QUARKUS_REDIS_PASSWORD");

        assertThat(password).isNotBlank();
        assertThat(manifests.environment(redis)).containsEntry("REDISCLI_AUTH", password);
    }

    @Test
    void externalRedis_isProductionWithoutItsRedis() {
        Manifests external = Manifests.named("overlays/external-redis");
        Manifests production = Manifests.named("overlays/production");

        assertThat(kindsAndNames(external))
                .doesNotContain("StatefulSet parley-redis", "Service parley-redis")
                .containsAll(
                        kindsAndNames(production).stream()
                                .filter(name -> !name.endsWith(" parley-redis"))
                                .toList());
        assertThat(external.one(NetworkPolicy.class, "parley").getSpec().getEgress())
                .flatExtracting(NetworkPolicyEgressRule::getTo)
                .anyMatch(peer -> peer.getIpBlock() != null)
                .noneMatch(peer -> peer.getPodSelector() != null);
    }

    @Test
    void redisSentinel_asksThreeSentinelsForThePrimary_andMayConnectToBoth() {
        Manifests manifests = Manifests.named("tests/sentinel");

        Map<String, String> environment = manifests.environment(parley(manifests));
        assertThat(environment)
                .containsEntry("QUARKUS_REDIS_CLIENT_TYPE", "sentinel")
                .containsEntry("QUARKUS_REDIS_MASTER_NAME", "mymaster")
                .containsEntry("QUARKUS_REDIS_PASSWORD", "rendered");
        List<URI> sentinels =
                Stream.of(environment.get("QUARKUS_REDIS_HOSTS").split(","))
                        .map(URI::create)
                        .toList();
        assertThat(sentinels)
                .doesNotHaveDuplicates()
                .hasSize(3)
                .allMatch(sentinel -> sentinel.getPort() == 26379)
                .allMatch(sentinel -> sentinel.getUserInfo() == null);
        NetworkPolicyEgressRule toRedis =
                manifests.one(NetworkPolicy.class, "parley").getSpec().getEgress().get(0);
        assertThat(toRedis.getPorts())
                .extracting(port -> port.getPort().getValue())
                .containsExactly(26379, 6379);
        String namespace =
                toRedis.getTo()
                        .get(0)
                        .getNamespaceSelector()
                        .getMatchLabels()
                        .get("kubernetes.io/metadata.name");
        assertThat(sentinels).allMatch(sentinel -> sentinel.getHost().endsWith("." + namespace));
    }

    /** Kind and name of each object, without the hash that kustomize adds to generated names. */
    private static List<String> kindsAndNames(Manifests manifests) {
        return manifests.objects().stream()
                .map(o -> o.getKind() + " " + o.getMetadata().getName())
                .map(name -> name.replaceFirst("-[0-9a-z]{10}$", ""))
                .toList();
    }

    static Stream<Arguments> ingressesOfOverlays() {
        return Manifests.withEach(Ingress.class)
                .filter(each -> ((Manifests) each.get()[0]).name().startsWith("overlays/"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("ingressesOfOverlays")
    void publicOverlay_namesTheOriginsOfItsPages(Manifests manifests, Ingress ingress) {
        String host = ingress.getSpec().getRules().get(0).getHost();

        assertThat(manifests.environment(parley(manifests)))
                .containsEntry("QUARKUS_HTTP_CORS_ORIGINS", "https://" + host);
    }

    /** A patch whose target or path does not exist changes nothing or is refused. */
    @Test
    void kustomizationsOfTheReadme_renderAndChangeSomething() {
        List<String> blocks =
                YAML_BLOCK
                        .matcher(TextFiles.read(Manifests.ROOT.resolve("README.md")))
                        .results()
                        .map(block -> block.group(2).replaceAll("(?m)^" + block.group(1), ""))
                        .filter(text -> text.matches("(?s)[a-zA-Z]+:\\n( *- |  -).*"))
                        .toList();

        List<Manifests> rendered =
                Manifests.overlays(
                        Stream.concat(Stream.of(""), blocks.stream())
                                .map(block -> EVERYTHING + block)
                                .toList());

        assertThat(blocks).hasSizeGreaterThan(10);
        for (int i = 0; i < blocks.size(); i++) {
            assertThat(rendered.get(i + 1).documents())
                    .as(blocks.get(i))
                    .isNotEqualTo(rendered.get(0).documents());
        }
    }

    @Test
    void production_hasEverythingThatTheReadmeLists() {
        assertThat(Manifests.named("overlays/production").objects())
                .extracting(HasMetadata::getKind)
                .contains("PodDisruptionBudget", "Ingress", "NetworkPolicy", "ServiceMonitor")
                .contains("PrometheusRule", "HorizontalPodAutoscaler", "StatefulSet");
    }

    @ParameterizedTest
    @ValueSource(strings = {"tests/hpa", "tests/keda"})
    void componentsOfAccess_haveSettingsThatTheProgramAccepts(String overlay) {
        Map<String, String> environment =
                Manifests.named(overlay).environment(parley(Manifests.named(overlay)));
        AccessSettings settings = AccessSettings.none();
        environment.forEach(settings::variable);

        assertThat(environment).containsEntry("PARLEY_ACCESS_MODE", "token");
        assertThat(settings.read().issuers()).containsOnlyKeys("login", "app");
        // Refuses issuers that are not complete, and secrets that are too short.
        TokenSigner.of(settings.read(), Optional.of("app"));
    }

    @Test
    void secretForTokens_isMadeOnce(@TempDir Path overlay) throws IOException {
        String script = Manifests.ROOT.resolve("components/access-secret/new-secret.sh").toString();
        Path file = overlay.resolve("access-secret.env");

        Tool.named("sh").run(script, overlay.toString());
        String first = Files.readString(file);
        Tool.named("sh").run(script, overlay.toString());

        assertThat(first).matches("secret=[0-9a-f]{64}\\n");
        assertThat(Files.readString(file)).isEqualTo(first);
        assertThat(Manifests.ROOT.resolve(".gitignore"))
                .content()
                .contains("\naccess-secret.env\n");
    }

    @Test
    void everyComponent_isRenderedByATest() {
        Set<String> components =
                Manifests.directoriesIn("components").stream()
                        .map(p -> p.getFileName().toString())
                        .collect(Collectors.toSet());

        assertThat(Manifests.directoriesIn("tests").stream().flatMap(ManifestsTest::componentsOf))
                .containsAll(components);
    }

    private static Stream<String> componentsOf(Path test) {
        return Manifests.yaml(test.resolve("kustomization.yaml"))
                .path("components")
                .valueStream()
                .map(component -> Path.of(component.asText()).getFileName().toString());
    }

    private static Container parley(Manifests manifests) {
        return manifests.podsOf("parley").spec().getContainers().get(0);
    }

    private static void assertProbe(Probe probe, String path) {
        assertThat(probe.getHttpGet().getPath()).isEqualTo(path);
        assertThat(probe.getHttpGet().getPort().getStrVal()).isEqualTo(ProgramNames.MANAGEMENT);
    }

    private static List<String> volumeNames(Pods pods) {
        Stream<String> claims =
                pods.owner() instanceof StatefulSet set
                        ? set.getSpec().getVolumeClaimTemplates().stream()
                                .map(c -> c.getMetadata().getName())
                        : Stream.empty();
        return Stream.concat(pods.spec().getVolumes().stream().map(Volume::getName), claims)
                .toList();
    }

    private static boolean hasRedis(Manifests manifests) {
        return !manifests.all(StatefulSet.class).isEmpty();
    }

    private static String redisAddress(Manifests manifests) {
        Service redis = manifests.one(Service.class, "parley-redis");
        return "redis://parley-redis:" + redis.getSpec().getPorts().get(0).getPort();
    }

    /** Reads a duration as Quarkus does: {@code 5S} is short for {@code PT5S}. */
    private static Duration seconds(Map<String, String> environment, String key) {
        return Duration.parse("PT" + environment.get(key));
    }

    /** The pods of this overlay that a rule names. Pods of other namespaces are not rendered. */
    private static List<Pods> peers(Manifests manifests, List<NetworkPolicyPeer> peers) {
        assertThat(peers).as("an empty list would allow every peer").isNotEmpty();
        return peers.stream()
                .filter(peer -> peer.getPodSelector() != null)
                .map(peer -> manifests.selected(peer.getPodSelector().getMatchLabels()))
                .toList();
    }

    private static void assertPorts(List<NetworkPolicyPort> ports, Pods pods) {
        assertThat(ports)
                .extracting(port -> port.getPort().getValue())
                .isNotEmpty()
                .isSubsetOf(pods.portNames().toArray());
    }
}
