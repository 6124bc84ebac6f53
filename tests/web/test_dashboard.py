"""The dashboard in Chromium."""

import pytest

from tests.web.browser import CONTROL, ENTER, ESCAPE, TAB, Browser
from tests.web.stand_in import KEY, SECRET


@pytest.fixture
def dashboard(browser: Browser, site: str) -> Browser:
    """The dashboard, with a key."""
    browser.open(f"{site}/")
    browser.type("input[type=password]", KEY + ENTER)
    browser.wait_for_text("Usage in 2026-11")
    return browser


def test_wrong_key_is_refused_and_forgotten(browser: Browser, site: str) -> None:
    browser.open(f"{site}/")

    browser.type("input[type=password]", "cai_live_wrong" + ENTER)
    browser.wait_for_text("The server does not accept this API key.")
    browser.type("input[type=password]", "…" + ENTER)
    browser.wait_for_text("letters, digits and underscores")

    assert browser.run("return sessionStorage.length") == 0


def test_key_lives_as_long_as_the_tab(dashboard: Browser, site: str) -> None:
    assert dashboard.run("return document.cookie") == ""
    assert dashboard.run("return localStorage.length") == 0
    dashboard.open(f"{site}/")
    dashboard.wait_for_text("Usage in 2026-11")

    dashboard.run("[...document.querySelectorAll('button')].at(0).click()")

    dashboard.find("input[type=password]")
    assert dashboard.run("return sessionStorage.length") == 0


def test_overview_shows_plan_usage_and_days(dashboard: Browser) -> None:
    dashboard.wait_for_text("3,421 of 10,000 requests")
    dashboard.wait_for_text("Plan: starter")
    dashboard.wait_for_text("$3.150017")
    dashboard.wait_for_text("$3.200017 of $25.00")
    assert dashboard.run("return document.querySelectorAll('.day').length") == 30
    assert "120 requests in 2026-11" in dashboard.run(
        "return document.querySelector('.plot').ariaLabel"
    )

    dashboard.run("[...document.querySelectorAll('[aria-label=Month] button')].at(0).click()")

    dashboard.wait_for_text("Usage in 2026-10")


def test_classification_is_tried(dashboard: Browser) -> None:
    dashboard.click("a[href='#classify']")
    dashboard.type("[aria-label='Name of category 3']", ENTER)
    dashboard.type("[aria-label='Name of category 4']", "finance")
    dashboard.run("document.querySelectorAll('[name=mode]')[1].click()")
    dashboard.click("main button[type=submit]")

    dashboard.wait_for_text("Job 46")
    dashboard.wait_for_text("finance", ".labels")
    dashboard.wait_for_text("90%", ".labels li:first-child")


def test_jobs_are_filtered_and_paged(dashboard: Browser) -> None:
    dashboard.click("a[href='#jobs']")
    dashboard.wait_for_text("1 to 20 of 45")
    dashboard.click("nav[aria-label='Pages of jobs'] button:last-child")
    dashboard.wait_for_text("21 to 40 of 45")
    dashboard.click("nav[aria-label='Pages of jobs'] button:first-child")
    dashboard.wait_for_text("1 to 20 of 45")

    dashboard.type("select", "failed")

    dashboard.wait_for_text("1 to 4 of 4")
    dashboard.wait_for_text("model unavailable", "table")


def test_key_is_created_copied_renamed_and_revoked(dashboard: Browser) -> None:
    dashboard.click("a[href='#keys']")
    dashboard.type("form input", "second" + ENTER)
    dashboard.wait_for_text("it is not shown again", "dialog")
    assert dashboard.run("return document.querySelector('dialog input').value") == SECRET
    dashboard.click(".copyable button")
    dashboard.wait_for_text("Copied", "dialog")
    dashboard.press(ESCAPE)
    assert SECRET not in dashboard.run("return document.documentElement.outerHTML")

    dashboard.click("[aria-label='Rename second']")
    dashboard.click("dialog input")
    dashboard.press(CONTROL, "a")
    dashboard.type("dialog input", "better" + ENTER)
    dashboard.wait_for_text("better", "table")

    dashboard.click("[aria-label='Revoke better']")
    dashboard.click("dialog .danger")
    dashboard.wait_for_text("revoked", "table")


def test_refusal_is_shown(dashboard: Browser) -> None:
    dashboard.click("a[href='#keys']")

    dashboard.type("form input", "refused" + ENTER)

    dashboard.wait_for_text("Your plan has 3 keys.", "[role=alert]")


def test_keyboard_reaches_every_view(dashboard: Browser) -> None:
    dashboard.run("document.querySelector('a.skip').focus()")
    dashboard.press(ENTER)
    for title in ("Overview", "Classify", "Jobs", "API keys"):
        dashboard.press(TAB)
        dashboard.press(ENTER)
        dashboard.wait_for_text(title, "h1")
