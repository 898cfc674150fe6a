"""Whose request it is: the address that the rate limit counts by. It is kept in memory only, and never written."""

import ipaddress
from collections.abc import Sequence

_ONE_HOUSE = 64  # bits of an IPv6 address that one subscriber has at least

# RFC 1918, RFC 4193, RFC 3927: what the standard library calls private is more than that
_OURS = tuple(
    ipaddress.ip_network(each)
    for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10")
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def of(peer: str | None, forwarded: Sequence[str]) -> str:
    """Return the client's address, for IPv6 its network.

    ``forwarded``: the values of ``X-Forwarded-For``. They count if the peer is a proxy of ours, on this machine or in
    its private network, and then only the last hop: the others are whatever the client has written there.
    """
    direct = _parsed(peer)
    if direct is None:
        return "unknown"
    if not (direct.is_loopback or any(direct in network for network in _OURS)):
        return _named(direct)
    last = ",".join(forwarded).rpartition(",")[2]
    return _named(_parsed(last) or direct)


def _parsed(text: str | None) -> Address | None:
    try:
        found = ipaddress.ip_address((text or "").strip().partition("%")[0])
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, ipaddress.IPv6Address) else found


def _named(address: Address) -> str:
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(ipaddress.ip_network((address, _ONE_HOUSE), strict=False))
