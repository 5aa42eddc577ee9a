package dev.parley.delivery;

import dev.parley.log.Format;
import dev.parley.message.Room;

/**
 * What a client asks for when it opens a stream.
 *
 * @param room the room to read
 * @param start where in the room's log to start
 * @param format what the data of a message contains
 * @param heartbeat how the stream shows the client that it lives
 * @param address the client's address, for the limit per address
 */
public record SubscribeRequest(
        Room room, StartPosition start, Format format, Heartbeat heartbeat, String address) {}
