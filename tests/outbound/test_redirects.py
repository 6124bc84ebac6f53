"""Redirects: a few, each judged anew."""

import pytest

from app.outbound.errors import BadAnswer, Refused, Unreachable
from tests.outbound.conftest import MakeOutbound
from tests.outbound.peers import OK, always, by_path, redirect, serving


async def test_three_redirects_are_followed_and_a_fourth_is_not(
    make_outbound: MakeOutbound,
) -> None:
    outbound = await make_outbound("127.0.0.1")
    answers = {
        "/4": redirect("/3", 301),
        "/3": redirect("2", 302),
        "/2": redirect("/1", 307),
        "/1": redirect("?x", 308),
        "/1?x": OK,
    }
    async with serving(by_path(answers)) as peer:
        fetched = await outbound.fetch(peer.url("/3"), max_bytes=100, deadline_s=5)
        assert fetched.content == b"hello"
        assert fetched.final_url == peer.url("/1?x")
        with pytest.raises(Refused, match="more than 3 times"):
            await outbound.fetch(peer.url("/4"), max_bytes=100, deadline_s=5)


async def test_a_loop_ends(make_outbound: MakeOutbound) -> None:
    outbound = await make_outbound("127.0.0.1")
    async with serving(always(redirect("/"))) as peer:
        with pytest.raises(Refused, match="more than 3 times"):
            await outbound.fetch(peer.url(), max_bytes=100, deadline_s=5)
        assert len(peer.heads) == 4


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "//127.0.0.1:{port}/",
        "http://2130706433:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://user@127.0.0.2:{port}/",
        "http://127.0.0.2:{port}\\@127.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://metadata.google.internal/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:{port}/",
        "ftp://127.0.0.2:{port}/",
        "http://127.0.0.1:{port}/\tx",
        "https://",
        "",
    ],
)
@pytest.mark.parametrize("hops", [0, 1, 2])
async def test_no_redirect_leads_where_the_url_could_not(
    make_outbound: MakeOutbound, location: str, hops: int
) -> None:
    outbound = await make_outbound("127.0.0.2")
    async with serving(always(OK), host="127.0.0.1") as canary:
        bad = location.replace("{port}", str(canary.port))
        answers = {"/0": redirect(bad), "/1": redirect("/0"), "/2": redirect("/1")}
        async with serving(by_path(answers), host="127.0.0.2", port=canary.port) as peer:
            with pytest.raises((Refused, Unreachable)):
                await outbound.fetch(peer.url(f"/{hops}"), max_bytes=100, deadline_s=5)
        assert canary.connections == 0


@pytest.mark.parametrize("status", [300, 304, 305, 306, 399])
async def test_other_statuses_of_that_kind_are_not_followed(
    make_outbound: MakeOutbound, status: int
) -> None:
    outbound = await make_outbound("127.0.0.1")
    async with serving(always(redirect("/x", status))) as peer:
        with pytest.raises(BadAnswer, match=f"status {status}"):
            await outbound.fetch(peer.url(), max_bytes=100, deadline_s=5)
        assert len(peer.heads) == 1


async def test_a_redirect_without_a_location_is_an_answer_like_another(
    make_outbound: MakeOutbound,
) -> None:
    outbound = await make_outbound("127.0.0.1")
    answer = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"
    async with serving(always(answer)) as peer:
        with pytest.raises(BadAnswer, match="status 302"):
            await outbound.fetch(peer.url(), max_bytes=100, deadline_s=5)


async def test_what_a_redirect_carries_is_not_read(make_outbound: MakeOutbound) -> None:
    outbound = await make_outbound("127.0.0.1")
    endless = (
        b"HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 999
    )
    async with serving(by_path({"/": endless, "/ok": OK})) as peer:
        fetched = await outbound.fetch(peer.url(), max_bytes=10, deadline_s=5)
        assert fetched.content == b"hello"
