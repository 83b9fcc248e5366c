"""Host names become addresses."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from aiohttp.abc import AbstractResolver, ResolveResult

_THREADS = 8
_MOST_ADDRESSES = 16


class Resolver(AbstractResolver):
    """The system's resolver, on threads of its own: a slow name server holds up nothing else."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="dns")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of `host`. Raises `OSError` (`socket.gaierror`) if it has none."""
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, _look_up, host, port, family
        )
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "no address")
        return found

    async def first_address(self, host: str) -> str | None:
        """Return the address of `host` that comes first by its text; None if it has none."""
        try:
            found = await self.resolve(host)
        except (OSError, UnicodeError):
            return None  # whoever makes the request hears why
        return min(entry["host"] for entry in found)

    async def close(self) -> None:
        """Drop what waits; a lookup under way ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class Telling(AbstractResolver):
    """Tells what names resolve to, by `heard(host, port, addresses)`; another one resolves them."""

    def __init__(
        self, resolver: AbstractResolver, heard: Callable[[str, int, Sequence[str]], None]
    ) -> None:
        self._resolver = resolver
        self._heard = heard

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of `host`. Raises `OSError` if it has none."""
        found = await self._resolver.resolve(host, port, family)
        self._heard(host, port, [entry["host"] for entry in found])
        return found

    async def close(self) -> None:
        """Close the resolver."""
        await self._resolver.close()


def _look_up(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
    infos = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    # All of them are tried, and then again without the first: a name with thousands is an attack.
    return [
        ResolveResult(
            hostname=host,
            # With the zone of a link-local IPv6 address, fe80::1%eth0.
            host=socket.getnameinfo(address, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)[0],
            port=port,
            family=kind,
            proto=protocol,
            flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
        )
        for kind, _, protocol, _, address in infos[:_MOST_ADDRESSES]
    ]
