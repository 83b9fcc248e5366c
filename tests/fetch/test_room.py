import asyncio

from crawler.fetch.room import Hold, Room


async def turns() -> None:
    """Let every task that can run do so."""
    for _ in range(5):
        await asyncio.sleep(0)


def growing(hold: Hold, size: int) -> asyncio.Task[None]:
    return asyncio.create_task(hold.grow(size))


async def test_bytes_are_counted_and_given_back() -> None:
    room = Room(100)
    hold = room.hold()
    await hold.grow(60)
    assert hold.try_grow(40)
    assert room.used == 100
    hold.release()
    hold.release()
    assert room.used == 0


async def test_a_reader_waits_until_there_is_room() -> None:
    room = Room(100)
    first, second = room.hold(), room.hold()
    await first.grow(80)
    assert not second.try_grow(30)
    waiting = growing(second, 30)
    await turns()
    assert not waiting.done()
    first.release()
    await waiting
    assert room.used == 30


async def test_the_oldest_body_is_served_first() -> None:
    room = Room(100)
    full, old, young = room.hold(), room.hold(), room.hold()
    await full.grow(100)
    order: list[str] = []

    async def grow(name: str, hold: Hold) -> None:
        await hold.grow(60)
        order.append(name)
        hold.release()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(grow("young", young))
        await turns()
        tasks.create_task(grow("old", old))
        await turns()
        full.release()
    assert order == ["old", "young"]


async def test_a_small_piece_does_not_overtake_one_that_waits() -> None:
    room = Room(100)
    full, large, small = room.hold(), room.hold(), room.hold()
    await full.grow(90)
    waiting = growing(large, 50)
    await turns()
    assert not small.try_grow(5)
    waiting_too = growing(small, 5)
    await turns()
    assert not waiting_too.done()
    full.release()
    await waiting
    await waiting_too


async def test_when_all_holders_wait_the_oldest_goes_on_alone() -> None:
    room = Room(100)
    old, young = room.hold(), room.hold()
    await old.grow(50)
    await young.grow(50)
    young_waits = growing(young, 40)
    await turns()
    assert not young_waits.done()
    for _ in range(3):
        await growing(old, 40)
    assert not young_waits.done()
    assert room.used == 220
    old.release()
    await young_waits
    assert room.used == 90


async def test_a_body_larger_than_the_whole_room_is_let_in_alone() -> None:
    room = Room(100)
    giant, other = room.hold(), room.hold()
    await giant.grow(500)
    waiting = growing(other, 10)
    await turns()
    assert not waiting.done()
    giant.release()
    await waiting


async def test_one_body_passes_when_nothing_was_given_back_for_long() -> None:
    room = Room(100, stall=0.01)
    page, nested, other = room.hold(), room.hold(), room.hold()
    await page.grow(100)
    waiting = growing(other, 10)
    await nested.grow(50)
    assert nested.try_grow(50)
    assert not waiting.done()
    assert room.used == 200
    nested.release()
    page.release()
    await waiting


async def test_a_cancelled_reader_leaves_its_place_to_the_next() -> None:
    room = Room(100)
    full, first, second = room.hold(), room.hold(), room.hold()
    await full.grow(60)
    first_waits = growing(first, 90)
    second_waits = growing(second, 40)
    await turns()
    assert not second_waits.done()
    first_waits.cancel()
    await second_waits
    first.release()
    assert room.used == 100


async def test_a_reader_cancelled_at_the_moment_of_its_turn_gives_all_back() -> None:
    room = Room(100)
    full, first = room.hold(), room.hold()
    await full.grow(100)
    waiting = growing(first, 40)
    await turns()
    full.release()
    waiting.cancel()
    await asyncio.wait([waiting])
    first.release()
    assert room.used == 0
    await room.hold().grow(100)


async def test_many_readers_pass_without_ever_going_over() -> None:
    room = Room(1_000)
    most = 0

    async def read(size: int) -> None:
        nonlocal most
        hold = room.hold()
        await hold.grow(size)
        most = max(most, room.used)
        await asyncio.sleep(0)
        hold.release()

    async with asyncio.TaskGroup() as tasks:
        for number in range(200):
            tasks.create_task(read(number % 7 * 100 + 1))
    assert most <= 1_000
    assert room.used == 0
