package dev.parley.http;

import io.quarkus.runtime.configuration.ConfigurationException;
import io.smallrye.config.ConfigSourceInterceptor;
import io.smallrye.config.ConfigSourceInterceptorContext;
import io.smallrye.config.ConfigValue;
import io.smallrye.config.Priorities;
import io.smallrye.config.common.utils.StringUtil;
import jakarta.annotation.Priority;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Corrects {@link AllowedOrigins} whenever the framework reads the setting. A regular expression
 * that cannot be read is refused: the framework itself would end with a stack trace that does not
 * name the setting. Other elements are given to the framework in lower case ({@link
 * AllowedOrigins#asSent}), since its filter compares letter by letter.
 */
@Priority(Priorities.APPLICATION + 100)
public final class AllowedOriginsCheck implements ConfigSourceInterceptor {

    private static final long serialVersionUID = 1L;

    /** The whole list, or one element of it: a list may be set by its indexes too. */
    private static final Pattern KEY =
            Pattern.compile("quarkus\\.http\\.cors\\.origins(\\[\\d+])?");

    /** An element in a list, as it is written: a backslash escapes a comma. */
    private static final Pattern ELEMENT = Pattern.compile("(?:[^\\\\,]++|\\\\.)++");

    @Override
    public @Nullable ConfigValue getValue(ConfigSourceInterceptorContext context, String name) {
        ConfigValue value = context.proceed(name);
        if (value == null || value.getValue() == null || !KEY.matcher(name).matches()) {
            return value;
        }
        check(name, value.getValue());
        return value.withValue(
                isElement(name)
                        ? AllowedOrigins.asSent(value.getValue())
                        : asSent(value.getValue()));
    }

    /** Leaves commas, and what escapes them, as they are. */
    private static String asSent(String list) {
        return ELEMENT.matcher(list)
                .replaceAll(
                        element ->
                                Matcher.quoteReplacement(AllowedOrigins.asSent(element.group())));
    }

    /**
     * @param setting its name, which ends with an index if the text is one element
     */
    private static void check(String setting, String text) {
        List<String> elements =
                isElement(setting) ? List.of(text) : List.of(StringUtil.split(text));
        for (String element : elements) {
            AllowedOrigins.problem(element)
                    .ifPresent(
                            problem -> {
                                throw new ConfigurationException(setting + ": " + problem);
                            });
        }
    }

    private static boolean isElement(String setting) {
        return setting.endsWith("]");
    }
}
