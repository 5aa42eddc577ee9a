package dev.parley.delivery;

import dev.parley.log.Format;
import dev.parley.message.Room;

/**
 * What a client asks for when it opens a stream.
 *
 * @param heartbeat how the client is shown that the stream lives
 * @param address of the client, for the limit per address
 */
public record SubscribeRequest(
        Room room, StartPosition start, Format format, Heartbeat heartbeat, String address) {}
