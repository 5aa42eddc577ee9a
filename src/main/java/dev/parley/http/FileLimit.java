package dev.parley.http;

import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.Optional;

/**
 * How many files the process may open, of which each connection is one.
 *
 * @param files the limit
 * @param open how many are open now
 */
public record FileLimit(long files, long open) {

    /** Returns the limit of this process; empty if the system has none or does not report it. */
    public static Optional<FileLimit> ofProcess() {
        if (ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix
                && unix.getMaxFileDescriptorCount() > 0) {
            return Optional.of(
                    new FileLimit(
                            unix.getMaxFileDescriptorCount(), unix.getOpenFileDescriptorCount()));
        }
        return Optional.empty();
    }

    /**
     * Returns how many files are left, 1 or more, when some are kept for other uses: those that are
     * open and a part of the others.
     *
     * @param most greatest number of files that are kept
     * @param divisor the part of the others that is kept is one divided by this
     */
    public int leaving(long most, int divisor) {
        long kept = Math.min(most, open + (files - open) / divisor);
        return (int) Math.min(Integer.MAX_VALUE, Math.max(1, files - kept));
    }
}
