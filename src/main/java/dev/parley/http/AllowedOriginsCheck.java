package dev.parley.http;

import io.quarkus.runtime.configuration.ConfigurationException;
import io.smallrye.config.ConfigSourceInterceptor;
import io.smallrye.config.ConfigSourceInterceptorContext;
import io.smallrye.config.ConfigValue;
import io.smallrye.config.Priorities;
import io.smallrye.config.common.utils.StringUtil;
import jakarta.annotation.Priority;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Refuses a regular expression of {@link AllowedOrigins} that cannot be read, whenever the
 * framework reads the setting. The framework itself would end with a stack trace that does not name
 * the setting.
 */
@Priority(Priorities.APPLICATION + 100)
public final class AllowedOriginsCheck implements ConfigSourceInterceptor {

    private static final long serialVersionUID = 1L;

    /** The whole list, or one element of it: a list may be set by its indexes too. */
    private static final Pattern KEY =
            Pattern.compile("quarkus\\.http\\.cors\\.origins(\\[\\d+])?");

    @Override
    public @Nullable ConfigValue getValue(ConfigSourceInterceptorContext context, String name) {
        ConfigValue value = context.proceed(name);
        if (value != null && value.getValue() != null && KEY.matcher(name).matches()) {
            check(name, value.getValue());
        }
        return value;
    }

    /**
     * @param setting its name, which ends with an index if the text is one element
     */
    private static void check(String setting, String text) {
        List<String> elements =
                setting.endsWith("]") ? List.of(text) : List.of(StringUtil.split(text));
        for (String element : elements) {
            AllowedOrigins.problem(element)
                    .ifPresent(
                            problem -> {
                                throw new ConfigurationException(setting + ": " + problem);
                            });
        }
    }
}
