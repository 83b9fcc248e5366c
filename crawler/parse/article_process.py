"""Finds main texts, in a process that may be killed.

A page as MessagePack comes in on standard input, four bytes of its length first, and an answer goes
out likewise; `b""` says that this process is ready, and that a page has no main text.
"""

import logging
import os
import resource
import signal
import sys
import warnings
from typing import Any, BinaryIO

import msgspec

_MOST_BYTES = 1_000_000_000
_MISSING = 3


def serve() -> None:
    """Answer until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who started us
    source, target = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a library prints is no answer
    logging.disable()
    warnings.simplefilter("ignore")
    try:
        import trafilatura  # noqa: F401  # takes 0.3 s, which is no page's
    except ImportError:
        sys.exit(_MISSING)
    _limit()
    _send(target, b"")
    while head := source.read(4):
        html, url = msgspec.msgpack.decode(source.read(int.from_bytes(head, "big")))
        found = _found(html, url)
        _send(target, b"" if found is None else msgspec.msgpack.encode(found))


def _limit() -> None:
    """Let no page take more memory than 1 GB."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard == resource.RLIM_INFINITY or hard > _MOST_BYTES:
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, hard))


def _send(target: BinaryIO, answer: bytes) -> None:
    target.write(len(answer).to_bytes(4, "big") + answer)
    target.flush()


def _found(html: str, url: str) -> dict[str, Any] | None:
    from trafilatura import bare_extraction
    from trafilatura.xml import xmltotxt

    found = bare_extraction(
        html, url=url, with_metadata=True, include_comments=False, include_formatting=True
    )
    if found is None or isinstance(found, dict) or not (found.text or "").strip():
        return None
    return {
        "text": xmltotxt(found.body, False).strip(),
        "markdown": (found.text or "").strip(),
        "title": found.title or None,
        "author": found.author or None,
        "date": found.date or None,
        "description": found.description or None,
        "site": found.sitename or None,
        "language": found.language or None,
        "image": found.image or None,
        "tags": found.tags or [],
        "categories": found.categories or [],
    }


if __name__ == "__main__":
    serve()
