"""The operator's exceptions: private hosts and networks that users' URLs may reach."""

from dataclasses import dataclass
from ipaddress import ip_network

from app.outbound.addresses import Address, Network
from app.outbound.errors import Refused
from app.outbound.host import parse_host


@dataclass(frozen=True, slots=True)
class PrivateHosts:
    """Names that are trusted wherever they lead, and networks that any name may lead into."""

    names: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    def hold(self, address: Address) -> bool:
        """Tell whether an address is in one of the networks."""
        return any(address in network for network in self.networks)


NO_PRIVATE_HOSTS = PrivateHosts()


def parse_private_hosts(text: str) -> PrivateHosts:
    """Read a comma-separated list of host names, addresses and networks (CIDR).

    Raises:
        ValueError: An entry is none of these. The message names it.
    """
    names: set[str] = set()
    networks: list[Network] = []
    for entry in filter(None, map(str.strip, text.split(","))):
        try:
            networks.append(ip_network(entry))
        except ValueError:
            names.add(_name(entry))
    return PrivateHosts(frozenset(names), tuple(networks))


def _name(entry: str) -> str:
    try:
        host = parse_host(entry)
    except Refused:
        host = None
    if host is None or host.address is not None:
        raise ValueError(
            f"'{entry}' is not a host name, an address or a network such as 10.0.0.0/8"
        )
    return host.name
