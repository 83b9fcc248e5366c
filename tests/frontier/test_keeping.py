"""What is kept by name, and taken back."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path

from crawler.fetch.jars import Jars
from crawler.frontier.sqlite import SqliteFrontier
from crawler.outcome import Batch
from tests.frontier.contract import Clock

LOGIN = "http://shop.example/"


def life(folder: Path, *, alone: bool = True, jars: Jars | None = None) -> SqliteFrontier:
    """A frontier that tells cookies to `jars`."""

    def heard(kept: Mapping[str, bytes]) -> None:
        for name, value in kept.items():
            if jars is not None:
                jars.learn(name, value)

    return SqliteFrontier(folder, alone=alone, clock=Clock(), batch=lambda notes: 4, heard=heard)


async def test_no_more_is_kept_of_cookies_than_the_jar_has(tmp_path: Path) -> None:
    frontier, jars = life(tmp_path), Jars()
    await frontier.open()
    for number in range(9_000):
        jars.make("").store(f"http://host{number}.example/", "a=1")
        if number % 100 == 99:
            await frontier.commit(Batch(kept=dict(jars.changes())))
    await frontier.aclose()
    connection = sqlite3.connect(tmp_path / "frontier.db")
    (rows,) = connection.execute("SELECT count(*) FROM kept").fetchone()
    connection.close()
    assert rows <= 3_000 + 3_100  # the latest of those that are gone are still told to others
    again = life(tmp_path)
    kept = (await again.open()).kept
    await again.aclose()
    assert kept.keys() == {
        f'cookies ["","host{number}.example",true,"/","a"]' for number in range(6_000, 9_000)
    }


async def test_other_processes_hear_that_cookies_are_gone(tmp_path: Path) -> None:
    jars, theirs = Jars(), Jars()
    one, other = life(tmp_path), life(tmp_path, alone=False, jars=theirs)
    await one.open()
    await other.open()
    for cookie, sent in (("session=1", "session=1"), ("session=; Max-Age=0", "")):
        jars.make("").store(LOGIN, cookie)
        await one.commit(Batch(kept=dict(jars.changes())))
        await other.listen()
        assert theirs.make("").header(LOGIN) == sent
    await other.aclose()
    await one.aclose()


def test_cookies_that_expired_between_two_lives_are_forgotten() -> None:
    jars, later = Jars(), Jars()
    jars.make("").store(LOGIN, "session=1; Max-Age=60", now=1_000_000_000.0)
    for name, value in jars.changes().items():
        later.learn(name, value)
    assert later.changes() == {'cookies ["","shop.example",true,"/","session"]': b""}
