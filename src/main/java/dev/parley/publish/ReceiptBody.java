package dev.parley.publish;

import io.quarkus.runtime.annotations.RegisterForReflection;

/**
 * A receipt as JSON.
 *
 * @param id of the message
 * @param duplicate whether an earlier request published it
 */
@RegisterForReflection
public record ReceiptBody(String id, String room, boolean duplicate) {}
