"""Which addresses may be connected to?"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv6Address, ip_network
from typing import Final, NamedTuple

from crawler import urls
from crawler.errors import InvalidUrl, SettingError
from crawler.rules.public_addresses import Network, is_metadata, is_public, read_address

_KEPT: Final = "guard "
_UNDECIDED, _PRIVATE, _PUBLIC = b"?", b"private", b"public"
# Seeds beyond these are public hosts, or have to be named by `allow_private`.
_MOST_SEEDS: Final = 100_000
# One name has an address or two, IPv4 and IPv6; whoever answers with many looks around.
_MOST_ADDRESSES: Final = 4
_PORTS: Final = {"http": 80, "https": 443}
_ENTRY: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:\[\]/\\?#@*]+)(?::([0-9]{1,5}))?")
# RFC 6761, 6762, 8375, and .internal, which ICANN keeps free for this: names of no public DNS.
_LOCAL: Final = (".localhost", ".local", ".internal", ".localdomain", ".home.arpa")
_IN_A_NUMBER: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)\.?")


class Guard:
    """Lets nobody in: a connection leads to a public address, or to one that the user named.

    The user names hosts by seeds, each for its own port, and by `allow_private`. A seed that is a
    name may have the private addresses it resolved to first, and no others later (DNS rebinding);
    once it has a public one it has no private one any more. A `Memory`, so the whole run knows.
    Raises `SettingError`.
    """

    def __init__(
        self, allowed: Iterable[str] = (), *, is_public: Callable[[str], bool] = is_public
    ) -> None:
        self._allowed = _Allowed.of(allowed)
        self._is_public = is_public
        self._seeds: dict[str, bytes] = {}
        self._new: dict[str, bytes] = {}

    def add_seed(self, url: str) -> None:
        """Hear of a seed; its host and port may be private."""
        host = urls.hostname_of(url).strip("[]")
        port = urls.host_of(url).rpartition(":")[2]
        scheme = url.partition(":")[0]
        seed = f"{host}:{port if port.isdigit() else _PORTS[scheme]}"
        if seed in self._seeds or len(self._seeds) >= _MOST_SEEDS:
            return
        address = read_address(host)
        if address is None:
            self._note(seed, _PRIVATE if _is_localhost(host) else _UNDECIDED)
        elif not self._is_public(host):
            self._note(seed, _PRIVATE)

    def changes(self) -> Mapping[str, bytes]:
        """Return what is new of the seeds."""
        new, self._new = self._new, {}
        return new

    def learn(self, name: str, value: bytes) -> None:
        """Hear of a seed; that it is public counts more than addresses, and these than nothing."""
        if not name.startswith(_KEPT):
            return
        seed = name.removeprefix(_KEPT)
        # What was written last may be the lesser: all processes come to one, and write that.
        known = min(value, self._seeds.get(seed, value), key=_by_weight)
        self._seeds[seed] = known
        if known != value:
            self._note(seed, known)

    def resolved(self, host: str, port: int, addresses: Sequence[str]) -> None:
        """Hear what a name resolves to, before any of it is connected to."""
        seed = f"{host}:{port}"
        state = self._seeds.get(seed, _PUBLIC)
        if state in (_PUBLIC, _PRIVATE):
            return
        if any(map(self._is_public, addresses)):
            self._note(seed, _PUBLIC)
        elif state == _UNDECIDED and addresses:
            self._note(seed, " ".join(sorted(set(addresses))[:_MOST_ADDRESSES]).encode())

    def refusal(self, host: str, port: int, address: str) -> str | None:
        """Return why `address` may not be connected to for `host`, or None: it may."""
        # A name that was resolved before it was a seed is heard of only here.
        self.resolved(host, port, (address,))
        if self._is_public(address) or self._allowed.names(host, port, address):
            return None
        if self._is_of_seed(host, port, address):
            return None
        return f"{address} is no public address; allow_private may name it"

    def refusal_unresolved(self, host: str, port: int) -> str | None:
        """Return why a proxy may not be asked for `host`, which only the proxy resolves, or None.

        Addresses are judged, and names that lead nowhere in the public DNS.
        """
        if _IN_A_NUMBER.fullmatch(host) or ":" in host:
            return self.refusal(host, port, host)
        seen = f"{host}:{port}" in self._seeds or self._allowed.names(host, port, None)
        if seen or not _is_local(host):
            return None
        return f"{host} is no public name; allow_private may name it"

    def _is_of_seed(self, host: str, port: int, address: str) -> bool:
        state = self._seeds.get(f"{host}:{port}", _UNDECIDED)
        if state == _PRIVATE:
            there = read_address(address)
            if there is None:
                return False
            return there.is_loopback if _is_localhost(host) else there == read_address(host)
        # What a cloud tells its machines is not to be had by a name, whoever gave it.
        return address in state.decode().split() and not is_metadata(address)

    def _note(self, seed: str, state: bytes) -> None:
        self._seeds[seed] = self._new[_KEPT + seed] = state


class _Allowed(NamedTuple):
    """What `allow_private` names; without a port, all of them."""

    everything: bool
    hosts: frozenset[tuple[str, int | None]]
    networks: tuple[tuple[Network, int | None], ...]

    @classmethod
    def of(cls, entries: Iterable[str]) -> "_Allowed":
        hosts: set[tuple[str, int | None]] = set()
        networks: list[tuple[Network, int | None]] = []
        listed = list(entries)
        for entry in listed:
            if entry == "*":
                continue
            host, port = _read(entry)
            if isinstance(host, str):
                hosts.add((host, port))
            else:
                networks += [(network, port) for network in _both_ways(host)]
        return cls("*" in listed, frozenset(hosts), tuple(networks))

    def names(self, host: str, port: int, address: str | None) -> bool:
        """True if the host is named, or the address is within a network that is."""
        host = host.removesuffix(".")
        if self.everything or (host, None) in self.hosts or (host, port) in self.hosts:
            return True
        there = read_address(address) if address is not None and self.networks else None
        return there is not None and any(
            there in network and only in (None, port) for network, only in self.networks
        )


def _read(entry: str) -> tuple[str | Network, int | None]:
    """Return a name or a network, and its port if one is given."""
    if "/" in entry:
        try:
            return ip_network(entry), None
        except ValueError:
            raise _refusal(entry) from None
    if ":" in entry and read_address(entry) is not None:
        before, _, port = entry.rpartition(":")
        if port.isdecimal() and len(port) > 1 and read_address(before) is not None:
            raise _refusal(entry, f"; write [{before}]:{port} or [{entry}]")
        return ip_network(entry), None
    parts = _ENTRY.fullmatch(entry)
    only = int(parts[2]) if parts and parts[2] else None
    if parts is None or (only is not None and not 0 < only < 65_536):
        raise _refusal(entry)
    try:
        host = urls.hostname_of(urls.canonicalize(f"http://{parts[1]}/")).strip("[]")
    except InvalidUrl:
        raise _refusal(entry) from None
    if read_address(host) is None:
        return host.removesuffix("."), only
    if parts[1].strip(".").isalnum():  # `10` is 0.0.0.10
        raise _refusal(entry, f"; the address {host} is written with its dots")
    return ip_network(host), only


def _refusal(entry: str, hint: str = "") -> SettingError:
    return SettingError(
        "allow_private must hold hosts, host:port, addresses or networks, "
        f"as localhost:8000 or 10.0.0.0/8, got {entry!r}{hint}"
    )


def _both_ways(network: Network) -> Iterator[Network]:
    """Yield a network, and the IPv4 one that is meant by it."""
    yield network
    first = network.network_address
    if isinstance(first, IPv6Address) and first.ipv4_mapped and network.prefixlen >= 96:
        yield ip_network((int(first.ipv4_mapped), network.prefixlen - 96))


def _by_weight(state: bytes) -> tuple[bool, bool, bytes]:
    return state != _PUBLIC, state == _UNDECIDED, state


def _is_localhost(host: str) -> bool:
    name = host.removesuffix(".")
    return name == "localhost" or name.endswith(".localhost")


def _is_local(host: str) -> bool:
    name = host.removesuffix(".")
    return "." not in name or name.endswith(_LOCAL)
