"""One thread for one owner's files."""

import asyncio
import threading

from crawler.file_thread import FileThread


async def test_it_rests_when_all_that_was_asked_of_it_is_done() -> None:
    thread = FileThread("test")
    go, begun = threading.Event(), threading.Event()
    seen = [thread.rests]

    def work() -> None:
        begun.set()
        go.wait(10)

    works = asyncio.create_task(thread.run(work))
    await asyncio.sleep(0)
    waits = asyncio.create_task(thread.run(lambda: None))
    await asyncio.to_thread(begun.wait)
    seen.append(thread.rests)
    waits.cancel()
    await asyncio.wait([waits])
    seen.append(thread.rests)
    go.set()
    await works
    seen.append(thread.rests)
    thread.start(lambda: None)
    await thread.run(lambda: None)
    seen.append(thread.rests)
    thread.close()
    assert seen == [True, False, False, True, True]
