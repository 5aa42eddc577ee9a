/**
 * What all pods know about access: tickets and revocations in Redis.
 *
 * <pre>
 * parley:{:ticket:DIGEST}           string      &lt;end in ms&gt; &lt;idle in ms&gt; &lt;content&gt;; ends by itself
 * parley:{:access}:revocations      sorted set  revocations (JSON) by their end in ms
 * parley:{:access}:revision         string      changes with each change of them
 * </pre>
 *
 * <p>With several Redis servers a ticket is on one of them, whichever took it, and a pod asks all
 * of them for it; a revocation is on all of them.
 */
@NullMarked
package dev.parley.access.redis;

import org.jspecify.annotations.NullMarked;
