"""GraphiQL in Chromium."""

import json

from tests.web.browser import CONTROL, ENTER, Browser
from tests.web.stand_in import KEY

EDITOR = ".graphiql-query-editor"


def _tabs(browser: Browser) -> list[str]:
    script = "return [...document.querySelectorAll('.graphiql-tab-button')].map(t => t.innerText)"
    return list(browser.run(script))


def _write(browser: Browser, query: str) -> None:
    browser.click(f"{EDITOR} .view-lines")
    browser.press(CONTROL, "a")
    browser.type(f"{EDITOR} textarea", query)


def _run(browser: Browser, query: str, *, name: str) -> None:
    browser.click(".graphiql-tab-add")
    _write(browser, query)
    # History takes the query from the tab, which follows the editor with a delay.
    browser.wait(lambda: name in _tabs(browser) or None, f"the tab is named {name}")
    browser.press(CONTROL, ENTER)
    browser.wait_for_text('"data"', ".result-window")


def _open(browser: Browser, site: str, *, key: str | None = None) -> None:
    browser.open(f"{site}/docs")
    if key:
        browser.run("sessionStorage.setItem('classifaily.key', arguments[0])", key)
    browser.open(f"{site}/graphql")
    browser.find(f"{EDITOR} .view-line")


def test_newcomer_finds_starting_queries_and_a_place_for_the_key(
    browser: Browser, site: str
) -> None:
    _open(browser, site)

    assert _tabs(browser) == ["Classify", "Decide", "Viewer", "Jobs", "CreateApiKey"]
    browser.wait_for_text("Bearer cai_live_", ".graphiql-editors")


def test_query_is_coloured_checked_and_completed(browser: Browser, site: str) -> None:
    _open(browser, site)
    browser.wait_for_text("mutation", EDITOR)
    colours = browser.run(
        "return new Set([...document.querySelectorAll(arguments[0] + ' .view-line span span')]"
        ".map(word => getComputedStyle(word).color)).size",
        EDITOR,
    )
    assert colours >= 3

    browser.click(".graphiql-tab-add")
    _write(browser, "{ vie")
    browser.wait_for_text("viewer", ".suggest-widget")

    _write(browser, "{ nonsense")
    browser.find(f"{EDITOR} .squiggly-error")


def test_key_of_the_dashboard_runs_a_query(browser: Browser, site: str) -> None:
    _open(browser, site, key=KEY)
    browser.wait_for_text(KEY, ".graphiql-editors")

    browser.click(".graphiql-tab-add")
    _write(browser, "{ viewer { name } }")
    browser.press(CONTROL, ENTER)

    browser.wait_for_text('"Acme"', ".result-window")


def test_documentation_explorer_and_history_open(browser: Browser, site: str) -> None:
    _open(browser, site)

    browser.click("[aria-label='Show Documentation Explorer']")
    browser.wait_for_text("ClassifyInput", ".graphiql-plugin")
    browser.click("[aria-label='Show GraphiQL Explorer']")
    browser.wait_for_text("mutation", ".graphiql-plugin")
    browser.wait_for_text("createApiKey", ".graphiql-plugin")
    browser.click("[aria-label='Show History']")
    browser.wait_for_text("History", ".graphiql-plugin")


def test_key_is_stored_nowhere_for_good(browser: Browser, site: str) -> None:
    _open(browser, site, key=KEY)
    browser.wait_for_text(KEY, ".graphiql-editors")

    _run(browser, "query Remembered { viewer { id } }", name="Remembered")

    browser.wait(lambda: browser.run("return localStorage['graphiql:queries']"), "it is in history")
    assert KEY not in json.dumps(browser.run("return {...localStorage}"))
    assert browser.run("return document.cookie") == ""


def test_history_brings_an_operation_back_with_the_key(browser: Browser, site: str) -> None:
    _open(browser, site, key=KEY)
    _run(browser, "query Remembered { viewer { id } }", name="Remembered")
    browser.open(f"{site}/graphql")
    browser.find(f"{EDITOR} .view-line")
    browser.click(".graphiql-tab-add")

    browser.click("[aria-label='Show History']")
    browser.click(".graphiql-history-item-label")

    browser.wait_for_text("Remembered", EDITOR)
    browser.wait_for_text(KEY, ".graphiql-editors")
