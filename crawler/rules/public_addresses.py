"""Is an address one of the public Internet?"""

from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

# IANA's registries of special-purpose addresses, written out: what Python's `is_global` says of
# 192.0.0.0/24, of IPv4-mapped and of NAT64 addresses differs between its patch releases.
_NOT_PUBLIC_4: Final = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this host; Linux connects 0.0.0.0 to itself
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # behind a carrier's NAT; 100.100.100.200: metadata at Alibaba
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # metadata at Azure
            "169.254.0.0/16",  # link-local; 169.254.169.254: metadata nearly everywhere
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments; 192.0.0.192: metadata at Oracle
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # 6to4 relays, given up
            "192.168.0.0/16",  # private
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and the broadcast
        ),
    )
)
# Only 2000::/3 is given out. Without it go loopback, unspecified, IPv4-mapped and -compatible,
# unique local (fd00:ec2::254: metadata at Amazon), link-local, site-local and multicast.
_GIVEN_OUT_6: Final = IPv6Network("2000::/3")
_NOT_PUBLIC_6: Final = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4, which has an IPv4 address in it
            "3fff::/20",  # documentation
        ),
    )
)
# RFC 6052: networks without IPv4 reach it by these. 64:ff9b:1::/48 (RFC 8215) leads into a site's
# own network, and is refused with all that is not given out.
_NAT64: Final = IPv6Network("64:ff9b::/96")

_METADATA: Final = tuple(
    map(
        IPv4Network,
        ("169.254.0.0/16", "168.63.129.16/32", "100.100.100.200/32", "192.0.0.192/32"),
    )
)
_METADATA_6: Final = (IPv6Network("fe80::/10"), IPv6Network("fd00:ec2::254/128"))

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def read_address(text: str) -> Address | None:
    """Return an address as systems write it, or None: a name, another spelling, or with a zone."""
    try:
        return IPv4Address(text)
    except AddressValueError:
        try:
            address = IPv6Address(text)
        except AddressValueError:
            return None
        return address if address.scope_id is None else None


def is_public(text: str) -> bool:
    """True for an address that the whole Internet reaches; what cannot be read is none."""
    address = read_address(text)
    if isinstance(address, IPv6Address):
        if address not in _NAT64:
            return address in _GIVEN_OUT_6 and not _within(address, _NOT_PUBLIC_6)
        address = _inside(address)
    return address is not None and not _within(address, _NOT_PUBLIC_4)


def is_metadata(text: str) -> bool:
    """True where clouds tell a machine its secrets, and for all that is link-local."""
    address = read_address(text)
    if address is None:
        return True  # fe80::1%eth0
    if isinstance(address, IPv6Address):
        if _within(address, _METADATA_6):
            return True
        address = _inside(address)  # however it is wrapped
    return _within(address, _METADATA)


def _inside(address: IPv6Address) -> IPv4Address:
    """Return the IPv4 address in the last bits of an IPv6 one."""
    return IPv4Address(int(address) & 0xFFFFFFFF)


def _within(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks)
