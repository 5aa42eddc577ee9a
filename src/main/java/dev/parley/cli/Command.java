package dev.parley.cli;

import java.io.PrintStream;
import java.util.Set;

/** A command of the command line. */
interface Command {

    /** Returns the word that names it. */
    String name();

    /** Returns its options and what they mean, for a person who reads it in a terminal. */
    String usage();

    /** Returns the options that have no value. */
    Set<String> flags();

    /** Returns the options that have a value. */
    Set<String> options();

    /**
     * Runs it.
     *
     * @param out for the result and nothing else
     * @throws WrongUse if the arguments or the configuration do not allow it
     * @throws CommandFailed if it cannot be done now
     */
    void run(Arguments arguments, PrintStream out);

    /** A command cannot be run as it was called. Its message says why, and what would be right. */
    final class WrongUse extends RuntimeException {

        private static final long serialVersionUID = 1L;

        WrongUse(String sentence) {
            super(sentence, null, false, false);
        }
    }

    /**
     * A command was called correctly, but could not be carried out, for example because a server is
     * away. Its message says why.
     */
    final class CommandFailed extends RuntimeException {

        private static final long serialVersionUID = 1L;

        CommandFailed(String sentence) {
            super(sentence, null, false, false);
        }
    }
}
