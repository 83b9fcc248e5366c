"""A connection that keeps what goes over it."""

import re
import time
from collections.abc import Container, Iterable
from typing import Any, Final

from crawler.exchange import Exchange
from crawler.fetch.connection import Connection

_HEAD_ENDS: Final = re.compile(rb"\r?\n\r?\n")
_BLANK: Final = b"\r\n"


class Tape:
    """One exchange while it goes on: what was sent, and the head of what came."""

    __slots__ = ("_received", "address", "at", "coded", "head", "protocols", "sent", "truncated")

    def __init__(self) -> None:
        self.at = time.time()
        self.sent = bytearray()
        self.head = b""
        self.coded: bytearray | None = None
        """The body as it came, where it is not the body that is delivered."""
        self.address: str | None = None
        self.protocols: tuple[str, ...] = ()
        self.truncated: str | None = None
        self._received = bytearray()

    @property
    def head_size(self) -> int:
        """How many bytes it holds besides the body."""
        return len(self.sent) + len(self.head)

    def came(self, data: bytes) -> None:
        """Hear bytes that may be of the head."""
        self._received += data

    def head_is_in(self, *, interim: int) -> None:
        """Hear that the head is whole, behind so many interim answers."""
        received, self._received = bytes(self._received.lstrip(_BLANK)), bytearray()
        begin = end = 0
        for _ in range(interim + 1):
            found = _HEAD_ENDS.search(received, end)
            begin, end = end, found.end() if found else len(received)
        self.head = received[begin:end].lstrip(_BLANK)

    def goes_over(self, transport: Any) -> None:
        """Hear which way it goes."""
        peer = transport.get_extra_info("peername")
        self.address = peer[0] if isinstance(peer, tuple) else None
        tls = transport.get_extra_info("ssl_object")
        if tls is not None and (spoken := tls.version()):  # "TLSv1.3"
            self.protocols = (spoken.lower().replace("v", "/", 1),)

    def exchange(
        self, url: str, body: bytes, *, seconds: float, status: int, secret: Container[str]
    ) -> Exchange:
        """Return what went over the wire; `body` is the one delivered, `secret` in lower case."""
        return Exchange(
            url=url,
            request=_without(bytes(self.sent), secret),
            head=self.head,
            body=body if self.coded is None else bytes(self.coded),
            at=self.at,
            seconds=seconds,
            status=status,
            address=self.address,
            protocols=(self.head[:8].decode("latin-1").lower(), *self.protocols),
            truncated=self.truncated,
        )


class TapedConnection(Connection):
    """Has a tape of each exchange: a new one whenever a request goes out."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.tape = Tape()

    def connection_made(self, transport: Any) -> None:
        """Hear of the connection, and what is written to it from now on."""
        super().connection_made(transport)
        heard: Any = _Heard(transport, self)
        self.transport = heard

    def set_response_params(self, **options: Any) -> None:
        """Hear that a request goes out."""
        self.tape = Tape()
        super().set_response_params(**options)

    def data_received(self, data: bytes) -> None:
        """Take bytes off the wire."""
        tape, is_head = self.tape, not self._answered
        if is_head:
            tape.came(data)
        super().data_received(data)
        if is_head and self._answered:
            tape.head_is_in(interim=self._interim)


class _Heard:
    """A transport whose connection hears what is written to it."""

    def __init__(self, transport: Any, connection: TapedConnection) -> None:
        self._transport = transport
        self._connection = connection

    def write(self, data: bytes) -> None:
        self._connection.tape.sent += data
        self._transport.write(data)

    def writelines(self, parts: Iterable[bytes]) -> None:
        self.write(b"".join(parts))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def _without(request: bytes, secret: Container[str]) -> bytes:
    """Return a request with the values of secret headers struck out."""
    head, end, body = request.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    names = [line.partition(b":")[0] for line in lines]
    struck = [
        name + b": ***" if name.decode("latin-1").lower() in secret else line
        for name, line in zip(names, lines, strict=True)
    ]
    return b"\r\n".join([first, *struck]) + end + body
