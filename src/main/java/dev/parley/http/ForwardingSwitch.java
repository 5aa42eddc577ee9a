package dev.parley.http;

import io.smallrye.config.ConfigSourceInterceptor;
import io.smallrye.config.ConfigSourceInterceptorContext;
import io.smallrye.config.ConfigValue;
import io.smallrye.config.Priorities;
import jakarta.annotation.Priority;
import org.jspecify.annotations.Nullable;

/**
 * Gives the setting {@code quarkus.http.proxy.proxy-address-forwarding} to {@link ClientAddress}
 * instead of the framework, which always sees it switched off.
 *
 * <p>The framework's parser runs before every route, so that no other code could check a header
 * first: with an empty {@code X-Forwarded-For} the parser throws, and the request is never
 * answered.
 */
@Priority(Priorities.LIBRARY + 900)
public final class ForwardingSwitch implements ConfigSourceInterceptor {

    private static final long serialVersionUID = 1L;

    /** The name under which Parley reads the setting. */
    static final String PARLEY = "dev.parley.http.proxy-address-forwarding";

    private static final String FRAMEWORK = "quarkus.http.proxy.proxy-address-forwarding";

    @Override
    public @Nullable ConfigValue getValue(ConfigSourceInterceptorContext context, String name) {
        if (name.equals(PARLEY)) {
            return context.proceed(FRAMEWORK);
        }
        ConfigValue value = context.proceed(name);
        return name.equals(FRAMEWORK) && value != null ? value.withValue("false") : value;
    }
}
