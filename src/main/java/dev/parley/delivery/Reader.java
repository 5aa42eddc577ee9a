package dev.parley.delivery;

import dev.parley.message.Room;

/**
 * What somebody who opens a stream wants.
 *
 * @param address of the client, for the limit per address
 */
public record Reader(Room room, Start start, Format format, String address) {}
