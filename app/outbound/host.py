"""The host of a URL: a name or an address, read in one way only.

Programs disagree on `0x7f.1`, `017700000001`, `127.1` or `127.0.0.1%25`. Here an address is four
decimal numbers, or IPv6 in brackets; all else that could be taken for one is refused. Names in
other scripts become ASCII first (UTS 46), so that full-width digits and ideographic dots are
judged as what they become.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

import idna

from app.outbound.addresses import Address
from app.outbound.errors import Refused

MAX_NAME_LENGTH = 253  # RFC 1035
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
# What the URL standard calls ending in a number: such a host is an address or an error.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


@dataclass(frozen=True, slots=True)
class Host:
    """A name in lower-case ASCII without a trailing dot, or an address in its shortest form."""

    name: str
    address: Address | None

    @property
    def in_url(self) -> str:
        """As it stands in a URL and in a Host header."""
        return f"[{self.name}]" if isinstance(self.address, IPv6Address) else self.name


def parse_host(text: str) -> Host:
    """Read the host of a URL.

    Raises:
        Refused: It is neither a name nor an address, or an unusual way to write one.
    """
    if text.startswith("["):
        return _bracketed(text)
    name = _ascii(text).lower().removesuffix(".")
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _dotted(name)
    if len(name) > MAX_NAME_LENGTH or not all(map(_LABEL.fullmatch, labels)):
        raise Refused("The URL's host is not a valid name.")
    return Host(name, None)


def _bracketed(text: str) -> Host:
    inner = text.removeprefix("[").removesuffix("]")
    try:
        # Python also takes zones (`fe80::1%eth0`), which mean something on one machine only.
        address = IPv6Address(inner if "%" not in inner else "")
    except ValueError:
        raise Refused("The URL's host is not a valid IPv6 address.") from None
    return Host(str(address), address)


def _dotted(name: str) -> Host:
    try:
        address = IPv4Address(name)
    except ValueError:
        raise Refused("Write an address as four decimal numbers.") from None
    return Host(str(address), address)


def _ascii(text: str) -> str:
    if text.isascii():
        return text
    try:
        return idna.encode(text, uts46=True, std3_rules=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise Refused("The URL's host is not a valid name.") from None
