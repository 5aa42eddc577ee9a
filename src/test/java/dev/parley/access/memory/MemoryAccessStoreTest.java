package dev.parley.access.memory;

import dev.parley.access.AccessStore;
import dev.parley.access.AccessStoreContract;
import java.time.Clock;

class MemoryAccessStoreTest extends AccessStoreContract {

    private final AccessStore store = new MemoryAccessStore(Clock.systemUTC());

    @Override
    protected AccessStore store() {
        return store;
    }
}
