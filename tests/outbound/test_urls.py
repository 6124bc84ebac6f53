"""How a URL is read."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.outbound.errors import Refused
from app.outbound.target import parse_url


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        ("https://example.com", "https://example.com/"),
        ("HTTPS://Example.COM./a", "https://example.com/a"),
        ("https://example.com:443/a?b=c#d", "https://example.com/a?b=c"),
        ("http://example.com:00080/", "http://example.com/"),
        ("http://example.com:8080?x", "http://example.com:8080/?x"),
        ("https://example.com/a b".replace(" ", "%20"), "https://example.com/a%20b"),
        ("https://example.com/é?q=ü", "https://example.com/%C3%A9?q=%C3%BC"),
        ("https://example.com/a/../b//c;d@e:f", "https://example.com/a/../b//c;d@e:f"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://例え。テスト/", "https://xn--r8jz45g.xn--zckzah/"),
        ("https://_dmarc.example.com/", "https://_dmarc.example.com/"),
        ("http://8.8.8.8/", "http://8.8.8.8/"),
        ("http://[2606:4700:4700:0:0:0:0:1111]:8080/", "http://[2606:4700:4700::1111]:8080/"),
    ],
)
def test_what_is_understood(text: str, understood: str) -> None:
    target = parse_url(text)
    assert target.url == understood
    assert parse_url(target.url) == target


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("example.com/a", "begin with http:// or https://"),
        ("ftp://example.com/", "begin with http:// or https://"),
        ("https://user:password@example.com/", "user name or password"),
        ("https://@example.com/", "user name or password"),
        ("https://example.com\\@example.org/", "backslashes"),
        ("https://example.com/a\\b", "backslashes"),
        ("https://example.com/a b", "blanks"),
        ("https://example.com/a\n", "control characters"),
        ("https://example.com/\ud800", "no text"),
        ("https://example.com/" + "a" * 9000, "longer than 8192"),
        ("https://example.com:/", "no valid host and port"),
        ("https://:443/", "no valid host and port"),
        ("https://example.com:70000/", "between 1 and 65535"),
        ("https://0x7f.1/", "four decimal numbers"),
        ("https://[fe80::1%25lo]/", "valid IPv6 address"),
        ("https://exa_mple-.com/", "not a valid name"),
        ("https://☃.\u200b/", "not a valid name"),
    ],
)
def test_what_is_refused_and_why(text: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        parse_url(text)


# The tables of other scripts are read at first use, which takes longer than the usual deadline.
@settings(deadline=None)
@given(st.text(max_size=60) | st.text(max_size=60).map(lambda rest: f"http://{rest}"))
def test_any_text_is_understood_in_ascii_or_refused(text: str) -> None:
    try:
        target = parse_url(text)
    except Refused:
        return
    assert target.url.isascii()
    assert target.url.isprintable()
    assert parse_url(target.url) == target


@pytest.mark.parametrize(
    ("location", "leads_to"),
    [
        (b"/b", "https://example.com/b"),
        (b"c?d", "https://example.com/a/c?d"),
        (b"?d", "https://example.com/a/b?d"),
        (b"//example.org/b", "https://example.org/b"),
        (b"https://example.org", "https://example.org/"),
        ("/é".encode(), "https://example.com/%C3%A9"),
    ],
)
def test_where_a_redirect_leads(location: bytes, leads_to: str) -> None:
    assert parse_url("https://example.com/a/b").follow(location).url == leads_to


@pytest.mark.parametrize(
    "location",
    [
        b"http://example.com/",
        b"ftp://example.com/",
        b"file:///etc/passwd",
        b"//user@example.com/",
        b"https://example.com\\@example.org/",
        b"/a\tb",
        b"\xff\xfe",
        b"https://[::1",
        b"/" + b"a" * 9000,
    ],
)
def test_where_a_redirect_may_not_lead(location: bytes) -> None:
    with pytest.raises(Refused):
        parse_url("https://example.com/a").follow(location)
