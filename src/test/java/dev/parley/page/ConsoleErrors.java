package dev.parley.page;

import com.microsoft.playwright.Page;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * The errors of a tab: console messages of the levels error and warning (violations of the content
 * security policy are among them), uncaught exceptions, and dialogs, since the pages open none.
 */
final class ConsoleErrors {

    private static final Set<String> LEVELS = Set.of("error", "warning");

    private final List<String> all = new ArrayList<>();

    private ConsoleErrors() {}

    /** Records the errors of a tab from now on. */
    static ConsoleErrors of(Page tab) {
        ConsoleErrors errors = new ConsoleErrors();
        tab.onConsoleMessage(
                message -> {
                    if (LEVELS.contains(message.type())) {
                        errors.all.add(message.text());
                    }
                });
        tab.onPageError(errors.all::add);
        tab.onDialog(
                dialog -> {
                    errors.all.add("dialog: " + dialog.message());
                    dialog.dismiss();
                });
        return errors;
    }

    List<String> all() {
        return List.copyOf(all);
    }
}
