"""The pages, served for real, and a browser to look at them with."""

from collections.abc import Iterator

import pytest
from graphql import GraphQLSchema

from app.web import pages
from tests.web.browser import CHROMEDRIVER, CHROMIUM, Browser, start_browser
from tests.web.stand_in import application, committed_schema, running


@pytest.fixture(scope="session")
def schema() -> GraphQLSchema:
    """The committed schema."""
    return committed_schema()


@pytest.fixture(scope="session", autouse=True)
def _built() -> None:
    if not (pages.BUILT / ".built").is_file():
        pytest.skip("the pages are not built: run `make pages`")


@pytest.fixture(scope="session")
def _shared_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if not (CHROMIUM and CHROMEDRIVER):
        pytest.skip("Chromium or chromedriver is not installed")
    with start_browser(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture
def site(schema: GraphQLSchema) -> Iterator[str]:
    """The address of the pages. A new port each time, so nothing is stored from the last test."""
    with running(application(schema)) as address:
        yield address


@pytest.fixture
def browser(_shared_browser: Browser, site: str) -> Iterator[Browser]:
    """Chromium, which afterwards must have asked nobody but the site, and complained of nothing."""
    _shared_browser.open("about:blank")
    _shared_browser.requested()
    _shared_browser.console()
    yield _shared_browser
    foreign = [
        url
        for url in _shared_browser.requested()
        if not url.startswith((site, site.replace("http", "ws", 1), "data:", "blob:"))
    ]
    assert foreign == []
    complaints = [line for line in _shared_browser.console() if " 401 " not in line]
    assert complaints == []
