"""The API reference in Chromium."""

from tests.web.browser import Browser
from tests.web.stand_in import KEY


def test_endpoints_come_from_the_openapi_document(browser: Browser, site: str) -> None:
    browser.open(f"{site}/docs")

    browser.wait_for_text("Classify a single input", "#endpoints")
    browser.click(".opblock-summary-control")
    browser.wait_for_text("Our server costs doubled again.", "#endpoints")


def test_errors_are_in_view_at_their_address(browser: Browser, site: str) -> None:
    browser.open(f"{site}/docs#errors")
    browser.wait_for_text("Classify a single input", "#endpoints")

    def top() -> float | None:
        value = float(
            browser.run("return document.querySelector('#errors').getBoundingClientRect().top")
        )
        return value if 0 <= value < 200 else None

    browser.wait(top, "the errors are at the top of the window")


def test_key_of_the_dashboard_is_sent(browser: Browser, site: str) -> None:
    browser.open(f"{site}/docs")
    browser.run("sessionStorage.setItem('classifaily.key', arguments[0])", KEY)
    browser.open(f"{site}/docs")
    browser.click(".opblock-summary-control")
    browser.click(".try-out__btn")

    browser.click(".execute")

    browser.wait_for_text(f"Bearer {KEY}", ".curl-command")
    browser.wait_for_text("200", ".live-responses-table")
