package dev.parley.testsupport;

import java.util.List;
import java.util.stream.Collectors;

/** A Redis reply that is no error. */
public sealed interface RedisReply {

    /** A string, status or number. */
    record Text(String value) implements RedisReply {
        @Override
        public String toString() {
            return value;
        }
    }

    /** An array, possibly nested. */
    record Items(List<RedisReply> values) implements RedisReply {
        @Override
        public String toString() {
            return values.stream()
                    .map(RedisReply::toString)
                    .collect(Collectors.joining(", ", "[", "]"));
        }
    }

    /** No value. */
    record Nil() implements RedisReply {
        @Override
        public String toString() {
            return "nil";
        }
    }

    /** The text of a string, status or number. */
    default String text() {
        if (this instanceof Text text) {
            return text.value();
        }
        throw new IllegalStateException("not a text: " + this);
    }

    default long number() {
        return Long.parseLong(text());
    }

    /** The elements of an array. */
    default List<RedisReply> items() {
        if (this instanceof Items items) {
            return items.values();
        }
        throw new IllegalStateException("not an array: " + this);
    }

    default boolean isNil() {
        return this instanceof Nil;
    }
}
