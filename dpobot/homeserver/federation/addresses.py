"""Which addresses a stranger's name may lead us to: those of the public internet, and nothing of ours.

Asked when a connection is made, about the very address that is connected to: a name that gives another answer the
second time (DNS rebinding) gains nothing by it.
"""

import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

Address = IPv4Address | IPv6Address
Permitted = Callable[[Address], bool]

_GLOBAL_UNICAST = ip_network("2000::/3")  # RFC 4291; all else is for special purposes
# of those: what leads on to an IPv4 address, or is no place (IANA, "IPv6 Special-Purpose Address Registry")
_NOT_PLACES_6 = tuple(
    ip_network(each)
    for each in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")  # Teredo and others, examples, 6to4
)
_NOT_PLACES_4 = tuple(  # IANA, "IPv4 Special-Purpose Address Registry"; RFC 6598 is what providers translate from
    ip_network(each)
    for each in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip


class Forbidden(OSError):
    """An address that a stranger may not lead us to."""


def is_public(address: Address) -> bool:
    """Say whether an address is one of the public internet.

    No loopback, private, link-local, multicast or provider-internal one, and none that stands for an IPv4 address
    behind a translator (mapped, NAT64, 6to4, Teredo).
    """
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PLACES_4)
    if address.scope_id is not None or address not in _GLOBAL_UNICAST:
        return False
    return not any(address in network for network in _NOT_PLACES_6)


def anywhere(address: Address) -> bool:
    """Say that every address is fine: for a closed federation, whose servers are all known."""
    return True


class Guard:
    """Makes the sockets of connections, and none to an address that is not permitted; ``refused``: one was not."""

    def __init__(self, permitted: Permitted) -> None:
        self._permitted = permitted
        self.refused = False

    def __call__(self, info: tuple[Any, ...]) -> socket.socket:
        """Return a socket for what the resolver gave (`socket.getaddrinfo`). Raises `Forbidden`."""
        family, kind, protocol, _, where = info
        try:
            allowed = self._permitted(ip_address(str(where[0])))
        except ValueError:
            allowed = False
        if not allowed:
            self.refused = True
            raise Forbidden("not a public address")
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made
