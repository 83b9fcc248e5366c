"""What failed is queued again."""

import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from crawler.errors import RunError
from crawler.frontier.books import Books
from crawler.frontier.hosts import Change, Hosts
from crawler.frontier.known import Known
from crawler.frontier.presence import is_crawled, locked
from crawler.frontier.requests import Requests
from crawler.frontier.schema import FILE, LOCK, connect, mapped
from crawler.request import Request
from crawler.urls import KeyRules

_CHUNK = 1_000


def retry_failed(folder: Path, *, before: Callable[[], None]) -> int:
    """Queue again what failed in a run, as if it had never been tried; return how many requests.

    The counters forget their failures, and hosts that were given up or unreachable may be asked
    anew. `before()` is called when that is sure to work, and not true yet. Raises `RunError` if the
    run is being crawled.
    """
    path = folder / FILE
    with locked(folder / LOCK):
        if is_crawled(folder):
            raise RunError(f"{folder}: is being crawled now")
        connection = connect(path)
        try:
            with mapped(path), connection.transaction():
                number = Retrying(connection).all()
                before()
                return number
        finally:
            connection.close()


class Retrying:
    """Puts failed requests back into the queue, in an open transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._hosts = Hosts(connection, ask_notes=True)
        self._requests = Requests(connection, known=Known(connection, rules=KeyRules()))
        self._books = Books(connection)

    def all(self) -> int:
        """Queue again all that failed; return how many requests."""
        number = 0
        while failed := self._requests.take_failed(_CHUNK):
            self._queue(failed)
            number += len(failed)
        return number

    def seeding(self) -> None:
        """Queue again a seeding that failed: it brought no more than a part of its requests."""
        self._queue(self._requests.take_failed(1, seeding=True))

    def _queue(self, failed: list[tuple[Request, list[str]]]) -> None:
        changes: dict[str, Change] = {}
        for request, _ in failed:
            if request.host not in changes:
                changes[request.host] = self._hosts.change(request.host, 0.0)
                self._hosts.pardon(changes[request.host].id)
            changes[request.host].added += 1
        rows = [self._requests.push(changes[r.host].id, r.id, r) for r, _ in failed]
        self._requests.insert(sorted(rows))
        self._requests.count_callbacks(Counter(request.callback for request, _ in failed))
        self._hosts.save(changes.values())
        self._books.resize(queued=len(rows))
        self._books.forget_failures(
            Counter(kind for _, kinds in failed for kind in kinds),
            urls={request.url for request, _ in failed},
        )
