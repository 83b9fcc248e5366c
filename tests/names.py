"""Names that no name server knows."""

import socket
from collections.abc import Iterable, Mapping

from aiohttp.abc import AbstractResolver, ResolveResult


class Names(AbstractResolver):
    """A resolver that says what the test says."""

    def __init__(self, **addresses: Iterable[str]) -> None:
        self.addresses: Mapping[str, Iterable[str]] = addresses
        self.asked: list[str] = []
        self.failures = 0
        """How often it fails from now on."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.asked.append(host)
        if self.failures:
            self.failures -= 1
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return [
            ResolveResult(hostname=host, host=one, port=port, family=family, proto=0, flags=0)
            for one in self.addresses[host.split(".")[0]]
        ]

    async def close(self) -> None:
        return None
