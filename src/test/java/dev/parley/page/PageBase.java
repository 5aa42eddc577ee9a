package dev.parley.page;

import dev.parley.testsupport.Browser;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInfo;

/** The base of tests of pages: a browser for each class, and a room for each test. */
abstract class PageBase {

    @AutoClose static Browser browser;

    /** A room with the name of the test. */
    ChatRoom room;

    @BeforeAll
    static void startBrowser() {
        browser = Browser.start();
    }

    @BeforeEach
    void nameRoom(TestInfo test) {
        room = new ChatRoom(test.getTestMethod().orElseThrow().getName());
    }

    @AfterEach
    void closeTabs() {
        browser.closeTabs();
    }
}
