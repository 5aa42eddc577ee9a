package dev.parley.settings;

import io.quarkus.runtime.annotations.RegisterForReflection;
import io.quarkus.runtime.configuration.MemorySize;
import io.quarkus.runtime.configuration.MemorySizeConverter;
import java.math.BigInteger;
import org.eclipse.microprofile.config.spi.Converter;
import org.jspecify.annotations.Nullable;

/**
 * Reads a number of bytes such as {@code 16M}, from 1 to 2<sup>63</sup> - 1. The framework's own
 * converter, which this one calls, accepts 0 too, with which a bound would let nothing pass.
 */
@RegisterForReflection
public final class PositiveSize implements Converter<MemorySize> {

    private static final long serialVersionUID = 1L;

    private static final BigInteger LARGEST = BigInteger.valueOf(Long.MAX_VALUE);

    /**
     * @throws IllegalArgumentException if the value is not such a number; the framework adds the
     *     name of the setting
     */
    @Override
    public @Nullable MemorySize convert(String value) {
        MemorySize size = new MemorySizeConverter().convert(value);
        if (size == null) {
            return null;
        }
        BigInteger bytes = size.asBigInteger();
        if (bytes.signum() < 1 || bytes.compareTo(LARGEST) > 0) {
            throw new IllegalArgumentException("a size is 1 byte or more, such as 64K or 16M");
        }
        return size;
    }
}
