"""A subscription in GraphiQL, on the real server."""

import pytest

from tests.conftest import Server, Tenant
from tests.graphql.live import submit
from tests.web.browser import CONTROL, ENTER, Browser
from tests.web.test_graphiql import _open, _write


@pytest.fixture
def site(server: Server) -> str:
    """The address of the server."""
    return server.base_url


def test_a_subscription_runs_to_its_end(browser: Browser, site: str, tenant: Tenant) -> None:
    job_id = submit(tenant.client)
    _open(browser, site, key=tenant.key)
    browser.wait_for_text(tenant.key, ".graphiql-editors")
    browser.click(".graphiql-tab-add")
    _write(browser, f'subscription Followed {{ job(id: "{job_id}") {{ status }} }}')
    browser.press(CONTROL, ENTER)
    browser.wait_for_text('"COMPLETED"', ".result-window")
    # It runs no longer: the button offers to run again.
    browser.find(".graphiql-execute-button[aria-label^='Execute']")
