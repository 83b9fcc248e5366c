"""What `crawl` asks of its process."""

import ctypes
import os
import subprocess
import sys

import pytest

_IS_GLIBC = hasattr(ctypes.CDLL(None), "mallopt")
_HEAP = """
import ctypes, sys
from crawler.cli.process import prepare_process
from crawler.settings import Settings

prepare_process(Settings())
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.restype, libc.free.argtypes = None, [ctypes.c_void_p]
libc.sbrk.restype, libc.sbrk.argtypes = ctypes.c_void_p, [ctypes.c_ssize_t]
size, number = int(sys.argv[1]), int(sys.argv[2])
blocks = (ctypes.c_void_p * number)()  # before them: behind them, it would keep the heap up
at_first = libc.sbrk(0)
for index in range(number):
    blocks[index] = libc.malloc(size)
at_most = libc.sbrk(0)
for block in reversed(blocks):
    libc.free(block)
print((at_most - at_first) >> 20, (at_most - libc.sbrk(0)) >> 20)
"""

needs_glibc = pytest.mark.skipif(
    not _IS_GLIBC, reason="only glibc can be told how much of the heap to keep"
)


def heap(size: int, number: int, **variables: str) -> tuple[int, int]:
    """Return by how many MiB blocks make the heap grow, and how many it gives back after them."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC_", "GLIBC_"))}
    done = subprocess.run(
        [sys.executable, "-c", _HEAP, str(size), str(number)],
        env=own | variables,
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
    )
    grown, given_back = map(int, done.stdout.split())
    return grown, given_back


@needs_glibc
@pytest.mark.parametrize(("size", "number"), [(100_000, 100), (300_000, 33)])
def test_what_pages_need_anew_is_kept(size: int, number: int) -> None:
    grown, given_back = heap(size, number)
    assert grown >= 9
    assert given_back == 0


@needs_glibc
def test_the_heap_grows_in_large_steps_and_large_blocks_are_none_of_it() -> None:
    assert heap(200_000, 5)[0] >= 4
    assert heap(1_000_000, 20)[0] == 0


@needs_glibc
def test_the_user_may_say_how_much_of_the_heap_is_kept() -> None:
    assert heap(100_000, 100, MALLOC_TRIM_THRESHOLD_="131072")[1] > 5
    assert heap(100_000, 100, GLIBC_TUNABLES="glibc.malloc.trim_threshold=131072")[1] > 5
    assert heap(100_000, 100, MALLOC_ARENA_MAX="2")[1] == 0


def test_no_more_is_asked_at_once_than_there_are_descriptors_for() -> None:
    program = (
        "from crawler.cli.process import prepare_process; from crawler.settings import Settings;"
        "print(*(prepare_process(Settings(concurrency=n)).concurrency for n in (10, 1000)))"
    )
    line = ["sh", "-c", f'ulimit -n 64; "{sys.executable}" -c "{program}"']
    assert subprocess.check_output(line, timeout=60).split() == [b"10", b"32"]
