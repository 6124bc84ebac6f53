"""A URL, read once and strictly. What is judged, connected to and sent are the same parts.

What programs read differently is refused, not repaired: backslashes, blanks and control
characters anywhere, user names, an empty host or port.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote, urljoin

from app.outbound.errors import Refused
from app.outbound.host import Host, parse_host

MAX_URL_LENGTH = 8192
DEFAULT_PORTS = {"http": 80, "https": 443}
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\\]")
_PARTS = re.compile(r"(?P<scheme>[^:/?#]*)://(?P<authority>[^/?#]*)(?P<path>[^#]*)(#.*)?")
_AUTHORITY = re.compile(r"(?P<host>\[[^\]]*\]|[^\[\]:]+)(:(?P<port>[0-9]{1,5}))?")
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes: scheme in lower case, port always a number, path with its query."""

    scheme: str
    host: Host
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The Host header."""
        if self.port == DEFAULT_PORTS[self.scheme]:
            return self.host.in_url
        return f"{self.host.in_url}:{self.port}"

    @property
    def url(self) -> str:
        """The URL as it was understood, without its fragment."""
        return f"{self.scheme}://{self.authority}{self.path}"

    def follow(self, location: bytes) -> "Target":
        """Return where a redirect from here leads.

        Raises:
            Refused: It leads to no URL that is allowed, or from https to http.
        """
        try:
            text = location.decode("utf-8")
        except UnicodeDecodeError:
            raise Refused("The URL redirects to an address that is not valid.") from None
        # Before it is joined: joining drops some characters without a word.
        _refuse_ambiguous(text)
        try:
            target = parse_url(urljoin(self.url, text))
        except ValueError:
            raise Refused("The URL redirects to an address that is not valid.") from None
        if self.scheme == "https" and target.scheme == "http":
            raise Refused("The URL redirects from https to http.")
        return target


def parse_url(text: str) -> Target:
    """Read a URL.

    Raises:
        Refused: It is not a plain http or https URL.
    """
    _refuse_ambiguous(text)
    parts = _PARTS.fullmatch(text)
    scheme = parts["scheme"].lower() if parts else ""
    if parts is None or scheme not in DEFAULT_PORTS:
        raise Refused("The URL must begin with http:// or https://.")
    if "@" in parts["authority"]:
        raise Refused("The URL must not hold a user name or password.")
    authority = _AUTHORITY.fullmatch(parts["authority"])
    if authority is None:
        raise Refused("The URL has no valid host and port.")
    port = int(authority["port"] or DEFAULT_PORTS[scheme])
    if not 0 < port < 65536:
        raise Refused("The URL's port is not between 1 and 65535.")
    path = parts["path"]
    if not path.startswith("/"):
        path = f"/{path}"
    return Target(scheme, parse_host(authority["host"]), port, _percent_encoded(path))


def _refuse_ambiguous(text: str) -> None:
    if len(text) > MAX_URL_LENGTH:
        raise Refused(f"The URL is longer than {MAX_URL_LENGTH} characters.")
    if _FORBIDDEN.search(text):
        raise Refused("The URL holds blanks, control characters or backslashes.")


def _percent_encoded(path: str) -> str:
    try:
        return quote(path, safe=_PRINTABLE)
    except UnicodeEncodeError:
        raise Refused("The URL holds a character that is no text.") from None
