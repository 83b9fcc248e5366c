"""Which addresses may be connected to?"""

import re
from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_network
from typing import Final, NamedTuple

from crawler import urls
from crawler.errors import InvalidUrl, SettingError
from crawler.rules.public_addresses import Address, Network, is_metadata, is_public, read_address

_KEPT: Final = "guard "
_UNDECIDED, _PRIVATE, _PUBLIC = b"?", b"private", b"public"
# Seeds beyond these are public hosts, or have to be named by `allow_private`.
_MOST_SEEDS: Final = 100_000
_PORTS: Final = {"http": 80, "https": 443}
_ENTRY: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:\[\]/\\?#@*]+)(?::([0-9]{1,5}))?")
# RFC 6761, 6762, 8375, and .internal, which ICANN keeps free for this: names of no public DNS.
_LOCAL: Final = (".localhost", ".local", ".internal", ".localdomain", ".home.arpa")
_IN_A_NUMBER: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)\.?")


class Guard:
    """Lets nobody in: a connection leads to a public address, or to one that the user named.

    The user names hosts by seeds, each for its own port, and by `allow_private`. A seed that is a
    name is private if the first address it was connected to is: a public one that resolves to
    another address later (DNS rebinding) stays refused. A `Memory`, so the whole run knows. Raises
    `SettingError`.
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
        """Hear of a seed; that it is public counts more than what was thought here."""
        if name.startswith(_KEPT):
            seed = name.removeprefix(_KEPT)
            if value == _PUBLIC or self._seeds.get(seed, _UNDECIDED) == _UNDECIDED:
                self._seeds[seed] = value

    def refusal(self, host: str, port: int, address: str) -> str | None:
        """Return why `address` may not be connected to for `host`, or None: it may."""
        seed = f"{host}:{port}"
        public = self._is_public(address)
        if self._seeds.get(seed) == _UNDECIDED:
            self._note(seed, _PUBLIC if public else _PRIVATE)
        if public or self._allowed.names(host, port, address):
            return None
        # What a cloud tells its machines is not to be had by a name, whoever gave it.
        if self._seeds.get(seed) == _PRIVATE and (host == address or not is_metadata(address)):
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
                networks.append((host, port))
        return cls("*" in listed, frozenset(hosts), tuple(networks))

    def names(self, host: str, port: int, address: str | None) -> bool:
        """True if the host is named, or the address is within a network that is."""
        if self.everything or (host, None) in self.hosts or (host, port) in self.hosts:
            return True
        there = read_address(address) if address is not None and self.networks else None
        return there is not None and any(
            there in network and only in (None, port) for network, only in self.networks
        )


def _read(entry: str) -> tuple[str | Network, int | None]:
    """Return a name or a network, and its port if one is given."""
    refusal = SettingError(
        "allow_private must hold hosts, host:port, addresses or networks, "
        f"as localhost:8000 or 10.0.0.0/8, got {entry!r}"
    )
    if "/" in entry:
        try:
            return ip_network(entry), None
        except ValueError:
            raise refusal from None
    if ":" in entry and (address := read_address(entry)) is not None:
        return _alone(address), None
    parts = _ENTRY.fullmatch(entry)
    port = int(parts[2]) if parts and parts[2] else None
    if parts is None or (port is not None and not 0 < port < 65_536):
        raise refusal
    try:
        host = urls.hostname_of(urls.canonicalize(f"http://{parts[1]}/")).strip("[]")
    except InvalidUrl:
        raise refusal from None
    address = read_address(host)
    return (host if address is None else _alone(address)), port


def _alone(address: Address) -> Network:
    return ip_network(str(address))


def _is_localhost(host: str) -> bool:
    name = host.removesuffix(".")
    return name == "localhost" or name.endswith(".localhost")


def _is_local(host: str) -> bool:
    name = host.removesuffix(".")
    return "." not in name or name.endswith(_LOCAL)
