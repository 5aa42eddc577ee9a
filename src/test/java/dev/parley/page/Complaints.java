package dev.parley.page;

import com.microsoft.playwright.Page;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * What a browser finds wrong with a page: errors, warnings, breaches of the page's policy, and
 * dialogs that no page here should open.
 */
final class Complaints {

    private static final Set<String> SERIOUS = Set.of("error", "warning");

    private final List<String> all = new ArrayList<>();

    private Complaints() {}

    /** Those of a tab from now on. */
    static Complaints of(Page tab) {
        Complaints complaints = new Complaints();
        tab.onConsoleMessage(
                message -> {
                    if (SERIOUS.contains(message.type())) {
                        complaints.all.add(message.text());
                    }
                });
        tab.onPageError(complaints.all::add);
        tab.onDialog(
                dialog -> {
                    complaints.all.add("dialog: " + dialog.message());
                    dialog.dismiss();
                });
        return complaints;
    }

    List<String> all() {
        return List.copyOf(all);
    }
}
