package dev.parley.http;

import io.quarkus.runtime.annotations.RegisterForReflection;
import io.vertx.core.impl.transports.EpollTransport;

/**
 * Vert.x's epoll transport, as a service that it loads (META-INF/services). On a JVM Vert.x finds
 * epoll by itself. In a native executable the framework replaces what looks for it by code that
 * always takes the JDK's transport, but Vert.x asks its services before. Where the kernel or the
 * processor has no epoll library, this one is not available, and Vert.x goes on as without it.
 */
@RegisterForReflection
public final class EpollProvider extends EpollTransport {}
