package dev.parley.cli;

import dev.parley.cli.Command.WrongUse;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The options of a call: {@code --read} alone, and {@code --room kitchen} or {@code
 * --room=kitchen}.
 */
final class Arguments {

    private final Map<String, List<String>> values = new LinkedHashMap<>();

    /**
     * Reads the options.
     *
     * @param arguments what follows the command's name
     * @param flags the options without a value
     * @param named the options with a value
     * @throws WrongUse if there is any other one, or a value is missing
     */
    Arguments(List<String> arguments, Set<String> flags, Set<String> named) {
        for (int i = 0; i < arguments.size(); i++) {
            String[] option = arguments.get(i).split("=", 2);
            String name = option[0];
            if (flags.contains(name) && option.length == 1) {
                put(name, "");
            } else if (named.contains(name) && option.length == 2) {
                put(name, option[1]);
            } else if (named.contains(name)) {
                i++;
                if (i == arguments.size()) {
                    throw new WrongUse(name + " needs a value");
                }
                put(name, arguments.get(i));
            } else if (flags.contains(name)) {
                throw new WrongUse(name + " takes no value");
            } else {
                throw new WrongUse("there is no option " + name);
            }
        }
    }

    private void put(String name, String value) {
        values.computeIfAbsent(name, key -> new ArrayList<>()).add(value);
    }

    /** Tells whether an option is there. */
    boolean has(String name) {
        return values.containsKey(name);
    }

    /** Returns the values of an option that may be given several times. */
    List<String> all(String name) {
        return values.getOrDefault(name, List.of());
    }

    /** Returns the value of an option; the last one if it is given several times. */
    Optional<String> value(String name) {
        List<String> all = all(name);
        return all.isEmpty() ? Optional.empty() : Optional.of(all.get(all.size() - 1));
    }
}
