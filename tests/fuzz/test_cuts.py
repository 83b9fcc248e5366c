"""Answers that were spoiled at random end the same in one packet and in many, and soon."""

import random
from typing import Final

from tests.fetch.test_cuts import GOOD, End, cutting, way
from tests.fetch.test_http import opened
from tests.fuzz.bounds import FUZZING

_TRIED: Final = 10_000 if FUZZING else 100
_PIECES: Final = (
    *(b"\r\n", b"\n", b"0\r\n", b"\r\n\r\n", b"ffff\r\n", b" ", b"\x00"),
    *(b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"HTTP/1.1 200 OK\r\n\r\n"),
)


def spoiled(answer: bytes, chance: random.Random) -> bytes:
    """Return `answer` with a few bytes changed, left out, put in or said again."""
    for _ in range(chance.choice((1, 1, 2, 3))):
        place = chance.randrange(len(answer))
        before, behind = answer[:place], answer[place:]
        answer = before + chance.choice(
            (
                bytes([behind[0] ^ 1 << chance.randrange(8)]) + behind[1:],
                behind[chance.choice((1, 2, 10)) :],
                chance.choice(_PIECES) + behind,
                answer[chance.randrange(len(answer)) :][:60] + behind,
            )
        )
    return answer


async def test_spoiled_answers_end_the_same_wherever_they_are_cut() -> None:
    chance = random.Random(None if FUZZING else 1)
    ends: tuple[End, ...] = ("close", "reset")
    async with cutting() as server, opened(timeout=10) as fetch:
        for _ in range(_TRIED):
            answer = spoiled(chance.choice(list(GOOD.values()))[0], chance)
            end = chance.choice(ends)
            server.cut(answer, [], end)
            whole = await way(fetch, server.url)
            for _ in range(4):
                times = min(chance.choice((1, 1, 2, 3, 10)), len(answer) - 1)
                at = sorted(chance.sample(range(1, len(answer)), times))
                server.cut(answer, at, end)
                kind, body = await way(fetch, server.url)
                assert kind != "timeout", (answer, at, end)
                # What follows an answer is not there yet when that is read, in pieces.
                assert (kind, body) == whole or whole[0] != "page", (answer, at, end)
                assert kind != "page" or whole[0] in ("page", "protocol"), (answer, at, end)
