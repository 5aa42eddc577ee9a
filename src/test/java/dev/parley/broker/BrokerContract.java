package dev.parley.broker;

/** What the rest of Parley relies on, whichever broker it has. */
public interface BrokerContract extends LogContract, PageContract, PublishContract {}
