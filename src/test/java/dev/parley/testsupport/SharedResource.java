package dev.parley.testsupport;

import java.io.Closeable;
import java.util.function.Supplier;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * A JUnit extension that passes one resource to all test classes whose constructors declare it. The
 * resource takes seconds to start, so it starts once, for the first of them, and is closed at the
 * end of the run.
 */
public abstract class SharedResource<T extends Closeable> implements ParameterResolver {

    private final Class<T> type;
    private final Supplier<T> start;

    protected SharedResource(Class<T> type, Supplier<T> start) {
        this.type = type;
        this.start = start;
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext test) {
        return parameter.getParameter().getType() == type;
    }

    @Override
    public T resolveParameter(ParameterContext parameter, ExtensionContext test) {
        return test.getRoot()
                .getStore(ExtensionContext.Namespace.create(SharedResource.class))
                .computeIfAbsent(type, key -> start.get(), type);
    }
}
