"""What the operator allows, and what it changes."""

import pytest

from app.outbound.errors import Refused
from app.outbound.policy import Policy
from app.outbound.private_hosts import parse_private_hosts
from app.outbound.target import parse_url
from app.settings import Settings, SettingsError, load_settings
from tests.outbound.conftest import MakeOutbound
from tests.outbound.peers import Zone


@pytest.mark.parametrize(
    ("text", "names", "networks"),
    [
        ("", set(), []),
        (" , ", set(), []),
        ("Hooks.Internal., redis", {"hooks.internal", "redis"}, []),
        ("10.0.0.0/8,127.0.0.1", set(), ["10.0.0.0/8", "127.0.0.1/32"]),
        ("::1, fd00::/8", set(), ["::1/128", "fd00::/8"]),
        ("bücher.example", {"xn--bcher-kva.example"}, []),
    ],
)
def test_what_is_understood(text: str, names: set[str], networks: list[str]) -> None:
    private = parse_private_hosts(text)
    assert private.names == names
    assert [str(network) for network in private.networks] == networks


@pytest.mark.parametrize(
    "entry",
    [
        "10.0.0.1/8",
        "10.0.0.0/33",
        "127.1",
        "0x7f000001",
        "*.internal",
        "http://hooks.internal",
        "hooks.internal:8080",
        "127.0.0.1:8080",
        "[::1]",
        "a b",
        "user@host",
    ],
)
def test_a_bad_entry_stops_the_start_and_names_the_variable(entry: str) -> None:
    with pytest.raises(SettingsError) as error:
        load_settings(allow_private_hosts=f"localhost, {entry}")
    assert str(error.value).startswith("CLASSIFAILY_ALLOW_PRIVATE_HOSTS: ")
    assert entry in str(error.value)


def test_nothing_private_is_allowed_unless_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLASSIFAILY_ALLOW_PRIVATE_HOSTS", raising=False)
    assert Settings(_env_file=None).private_hosts == parse_private_hosts("")
    monkeypatch.setenv("CLASSIFAILY_ALLOW_PRIVATE_HOSTS", "10.0.0.0/8, hooks.internal")
    assert Settings(_env_file=None).private_hosts == parse_private_hosts(
        "hooks.internal,10.0.0.0/8"
    )


ALLOWED = "hooks.internal, 10.1.0.0/16, fd00:1::/32, 127.0.0.1"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9000/",
        "http://10.1.2.3:22/",
        "https://10.1.2.3/",
        "http://[fd00:1::1]:1234/",
        "http://hooks.internal:8123/",
        "https://hooks.internal/",
        "http://inside.example.com:9000/",
        "https://example.com/",
        "https://example.com:8443/",
    ],
)
async def test_what_it_allows(make_outbound: MakeOutbound, zone: Zone, url: str) -> None:
    zone.add("inside.example.com", ("10.1.2.3", "fd00:1::2"))
    zone.add("example.com", "93.184.216.34")
    zone.add("hooks.internal", "192.168.0.1")
    outbound = await make_outbound(ALLOWED)
    await outbound.check(url, require_https=True)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.2:9000/",
        "https://10.2.0.1/",
        "https://[::ffff:10.1.2.3]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fd00:2::1]/",
        "https://[fd00:1::1%25lo]/",
        "https://other.hooks.internal/",
        "https://other.internal/",
        "https://redis/",
        "http://example.com/",
        "https://example.com:6379/",
        "https://half.example.com/",
        "http://half.example.com/",
        "ftp://hooks.internal/",
        "http://user@hooks.internal/",
    ],
)
async def test_what_it_does_not_allow(make_outbound: MakeOutbound, zone: Zone, url: str) -> None:
    zone.add("half.example.com", ("10.1.2.3", "10.2.0.1"))
    zone.add("example.com", "93.184.216.34")
    outbound = await make_outbound(ALLOWED)
    with pytest.raises(Refused):
        await outbound.check(url, require_https=True)


def test_a_private_and_a_public_address_are_both_allowed_as_if_public() -> None:
    policy = Policy(parse_private_hosts("10.1.0.0/16"))
    addresses = [
        address
        for url in ("https://10.1.2.3/", "https://8.8.8.8/")
        if (address := parse_url(url).host.address)
    ]
    policy.judge_addresses(parse_url("https://example.com/"), addresses, require_https=True)
    with pytest.raises(Refused, match="https"):
        policy.judge_addresses(parse_url("http://example.com/"), addresses, require_https=True)
    with pytest.raises(Refused, match="port"):
        policy.judge_addresses(parse_url("https://example.com:22/"), addresses, require_https=True)
