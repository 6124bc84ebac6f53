"""Where a user's URL may lead.

Everywhere public, by http or https, on the ports where web servers are. What the operator allows
although it is private (`PrivateHosts`) may have any port, and plain http even where https is
demanded. A name leads somewhere allowed only if every address of its answer does.

The rules that need no address come first, so that a URL which can't be allowed costs no look-up;
where the operator allows networks, they wait, since any name may turn out to lead into one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.outbound.addresses import Address, is_public
from app.outbound.errors import Refused
from app.outbound.private_hosts import NO_PRIVATE_HOSTS, PrivateHosts
from app.outbound.target import Target

#: Where web servers are. Anything else is likelier to be something that takes HTTP for commands.
WEB_PORTS = frozenset({80, 443, 8080, 8443})
# Never public: RFC 6761, 6762, 8375 and ICANN's .internal; what routers and directories use; and
# the names of clouds' metadata services. A name without a dot is local to some network, too.
_INTERNAL = (
    "localhost",
    "local",
    "localdomain",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "home.arpa",
    "metadata.goog",
    "metadata.packet.net",
    "metadata.platformequinix.com",
    "metadata.tencentyun.com",
)


def no_public_address(name: str) -> str:
    """Say that a name leads nowhere public: whether it is private or does not exist."""
    return f"{name} has no public address."


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator allows. `ports` are those of public hosts."""

    private: PrivateHosts = NO_PRIVATE_HOSTS
    ports: frozenset[int] = WEB_PORTS

    def judge_url(self, target: Target, *, require_https: bool) -> None:
        """Judge what is known before the name is looked up.

        Raises:
            Refused: No answer could make the URL allowed.
        """
        if self.private.networks or target.host.name in self.private.names:
            return
        self._judge_as_public(target, require_https=require_https)

    def judge_addresses(
        self, target: Target, addresses: Sequence[Address], *, require_https: bool
    ) -> None:
        """Judge a URL by the whole answer for its name; empty if nobody knows the name.

        Raises:
            Refused: The URL, or one of the addresses, is not allowed.
        """
        if target.host.name in self.private.names:
            return
        public = [address for address in addresses if not self.private.hold(address)]
        if addresses and not public:
            return
        self._judge_as_public(target, require_https=require_https)
        if not all(map(is_public, public)):
            raise Refused(no_public_address(target.host.name))

    def _judge_as_public(self, target: Target, *, require_https: bool) -> None:
        if require_https and target.scheme != "https":
            raise Refused("The URL must begin with https://.")
        if target.port not in self.ports:
            allowed = ", ".join(map(str, sorted(self.ports)))
            raise Refused(f"The URL's port must be one of {allowed}.")
        name = target.host.name
        if target.host.address is None and ("." not in name or _is_internal(name)):
            raise Refused(no_public_address(name))


def _is_internal(name: str) -> bool:
    return any(name == internal or name.endswith(f".{internal}") for internal in _INTERNAL)
