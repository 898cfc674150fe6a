"""Where a stranger's name may lead us, and where not."""

import socket
from ipaddress import ip_address

import pytest

from dpobot.homeserver.federation.addresses import Forbidden, Guard, anywhere, is_public

PUBLIC = ("1.1.1.1", "93.184.216.34", "100.63.255.255", "100.128.0.0", "172.32.0.1", "2606:4700::1111", "2a01:4f8::1")
CLOSED = (
    "0.0.0.0",  # noqa: S104 - nothing binds there
    "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.255", "169.254.169.254", "172.16.0.1",
    "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:1.1.1.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1",
    "2001::1", "2001:db8::1", "2002:7f00:1::1", "3fff::1", "5f00::1", "fc00::1", "fd12::1", "fe80::1", "fe80::1%eth0",
    "fec0::1", "ff02::1",
)  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_the_public_internet_is_fine(address: str) -> None:
    """Both families, right up to the edges of what is closed."""
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", CLOSED)
def test_everything_else_is_closed(address: str) -> None:
    """Ours, the provider's, the machine's, the cloud's, many at once, and what leads to an IPv4 address in disguise."""
    assert not is_public(ip_address(address))


def test_no_socket_is_made_for_a_closed_address() -> None:
    """Not even made: so nothing can be sent there."""
    guard = Guard(is_public)
    with pytest.raises(Forbidden):
        guard((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 443)))
    assert guard.refused
    with pytest.raises(Forbidden):
        guard((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("not an address", 443)))


def test_a_closed_federation_may_go_anywhere() -> None:
    """Where the configuration says so."""
    with Guard(anywhere)((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 443))) as made:
        assert made.getblocking() is False
