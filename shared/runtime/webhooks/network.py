"""Which address may a webhook lead to? Never one of our own network's, by any name.

The name is resolved here, every address it has is checked, and the request goes to the checked
address itself: a name that answers differently a moment later (DNS rebinding) gains nothing.
"""

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Prefixes that carry an IPv4 address inside, by which a private one could be reached.
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052
_NAT64_LOCAL = IPv6Network("64:ff9b:1::/48")  # RFC 8215


class AddressRefusedError(Exception):
    """The name leads to an address that a webhook may not reach."""


class NameUnknownError(Exception):
    """The name leads nowhere now."""


async def checked(host: str, port: int, allowed: Sequence[Network]) -> tuple[Address, ...]:
    """Give the addresses of a host, all of which may be reached."""
    addresses = await _resolved(host, port)
    if not all(_is_public(one) or is_allowed(one, allowed) for one in addresses):
        raise AddressRefusedError
    return addresses


def is_allowed(address: Address, allowed: Sequence[Network]) -> bool:
    plain = _plain(address)
    return any(plain.version == one.version and plain in one for one in allowed)


async def _resolved(host: str, port: int) -> tuple[Address, ...]:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NameUnknownError from None
    return tuple(dict.fromkeys(ip_address(str(where[4][0]).partition("%")[0]) for where in found))


def _is_public(address: Address) -> bool:
    address = _plain(address)
    if isinstance(address, IPv6Address):
        tunnelled = address.sixtofour or address.teredo
        if tunnelled or address in _NAT64 or address in _NAT64_LOCAL:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _plain(address: Address) -> Address:
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address
