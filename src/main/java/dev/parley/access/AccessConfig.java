package dev.parley.access;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.smallrye.config.WithName;
import java.util.List;
import java.util.Optional;

/** Who may read and write which rooms. */
@ConfigMapping(prefix = "parley.access")
public interface AccessConfig {

    /** How callers are told apart. */
    enum Mode {
        /** Everybody may read and write every room; tokens are not looked at. */
        OPEN,
        /** A caller may what the token says, and what is public. */
        TOKEN
    }

    /** How callers are told apart: {@code open} or {@code token}. */
    @WithDefault("open")
    Mode mode();

    /** The rooms that need no token, in mode {@code token}. */
    @WithName("public")
    PublicRooms publicRooms();

    /** Patterns of rooms that need no token. */
    interface PublicRooms {

        /** The rooms that everybody may read. */
        Optional<List<String>> read();

        /** The rooms that everybody may write. */
        Optional<List<String>> write();
    }
}
