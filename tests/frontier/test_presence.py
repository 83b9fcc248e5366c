"""A process of a run, as the others see it."""

import fcntl
import os
import struct
import threading
import time
from pathlib import Path

import pytest

from crawler.errors import LeasesLost
from crawler.frontier.presence import DEADLINE, PROCESSES, Presence, is_there
from crawler.frontier.sqlite import SqliteFrontier
from crawler.outcome import Batch
from crawler.request import Request
from tests.frontier.contract import Clock, add, leased


def test_a_process_may_come_while_somebody_asks_whether_it_is_there(tmp_path: Path) -> None:
    asking = os.open(tmp_path / "1", os.O_RDWR | os.O_CREAT)
    fcntl.flock(asking, fcntl.LOCK_SH)  # as `is_there` does for a moment
    ending = threading.Timer(0.05, os.close, [asking])
    ending.start()
    presence = Presence(tmp_path / "1")
    assert is_there(tmp_path / "1")
    presence.close()
    ending.join()


async def test_a_silent_process_loses_what_it_has_and_goes_on_if_that_is_nothing(
    tmp_path: Path,
) -> None:
    silent, other = (
        SqliteFrontier(tmp_path, clock=Clock(), batch=lambda notes: 4, alone=alone)
        for alone in (True, False)
    )
    await silent.open()
    await other.open()

    async def is_waited_for() -> bool:
        with (tmp_path / PROCESSES / "1").open("r+b") as file:
            file.write(struct.pack("<d", time.monotonic() - DEADLINE - 1))
        return await other.others() > 0

    await add(other, Request("http://a/1"))
    assert not await is_waited_for()
    (request,) = await leased(silent)
    assert not await is_waited_for()
    with pytest.raises(LeasesLost):
        await silent.commit(Batch(settled=[request]))
    assert await leased(other) == [request]
    await silent.aclose()
    await other.aclose()
