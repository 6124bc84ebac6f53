"""Which addresses are public."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.outbound.addresses import is_public

MAPPED = int(IPv6Address("::ffff:0:0"))
TRANSLATED = int(IPv6Address("::ffff:0:0:0"))
NAT64 = int(IPv6Address("64:ff9b::"))
NAT64_LOCAL = int(IPv6Address("64:ff9b:1::"))
SIX_TO_FOUR = int(IPv6Address("2002::"))
TEREDO = int(IPv6Address("2001::"))

any_v4 = st.integers(0, 2**32 - 1).map(IPv4Address)
any_v6 = st.integers(0, 2**128 - 1).map(IPv6Address)
# Most IPv6 addresses are outside the part that is given out, where the rule is trivial.
given_out_v6 = st.integers(2**125, 2**126 - 1).map(IPv6Address)


@pytest.mark.parametrize(
    "text",
    [
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "93.184.216.34",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "168.63.129.15",
        "168.63.129.17",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2001:200::1",
        "2001:4860:4860::8888",
        "2003::1",
        "2606:4700:4700::1111",
        "2a00:1450:4001::1",
        "3ffe:ffff::1",
    ],
)
def test_ordinary_addresses_are_public(text: str) -> None:
    assert is_public(ip_address(text))


@given(any_v4 | any_v6 | given_out_v6)
@example(IPv4Address("168.63.129.16"))
@example(IPv6Address("fd00:ec2::254"))
def test_nothing_that_the_flags_call_special_is_public(address: IPv4Address | IPv6Address) -> None:
    special = (
        address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
        or not address.is_global
        or (isinstance(address, IPv6Address) and address.is_site_local)
    )
    assert not (special and is_public(address))


@given(any_v4)
def test_an_ipv4_address_that_the_flags_call_global_is_public_but_for_named_exceptions(
    address: IPv4Address,
) -> None:
    exceptions = (
        "168.63.129.16/32",
        "192.0.0.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.175.48.0/24",
        "224.0.0.0/4",
    )
    if address.is_global and not is_public(address):
        bits = int(address)
        assert any(
            bits >> (32 - int(length)) == int(IPv4Address(start)) >> (32 - int(length))
            for start, length in (network.split("/") for network in exceptions)
        )


@given(any_v4)
@example(IPv4Address("8.8.8.8"))
@example(IPv4Address("127.0.0.1"))
def test_no_ipv6_form_of_an_ipv4_address_is_public(address: IPv4Address) -> None:
    bits = int(address)
    forms = (
        bits,
        MAPPED | bits,
        TRANSLATED | bits,
        NAT64 | bits,
        NAT64_LOCAL | bits,
        SIX_TO_FOUR | bits << 80,
        TEREDO | bits << 64 | 1,
        TEREDO | (bits ^ 0xFFFFFFFF),
    )
    assert not any(is_public(IPv6Address(form)) for form in forms)
