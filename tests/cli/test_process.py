"""What `crawl` asks of its process."""

import ctypes
import os
import subprocess
import sys

import pytest

_IS_GLIBC = hasattr(ctypes.CDLL(None), "mallopt")
_HEAP_MEBIBYTES = """
import ctypes
from crawler.cli.process import prepare_process

prepare_process()
sbrk = ctypes.CDLL(None).sbrk
sbrk.restype, sbrk.argtypes = ctypes.c_void_p, [ctypes.c_ssize_t]
blocks = [bytes(100_000) for _ in range(100)]
full = sbrk(0)
del blocks
print((full - sbrk(0)) >> 20)
"""


def given_back(**variables: str) -> int:
    """Return how many MiB of ten that were freed the heap gives back at once."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC_", "GLIBC_"))}
    done = subprocess.run(
        [sys.executable, "-c", _HEAP_MEBIBYTES],
        env=own | variables,
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
    )
    return int(done.stdout)


@pytest.mark.skipif(not _IS_GLIBC, reason="only glibc can be told how much of the heap to keep")
def test_the_heap_that_pages_need_anew_is_kept_unless_the_user_says_otherwise() -> None:
    assert given_back() == 0
    assert given_back(MALLOC_TRIM_THRESHOLD_="131072") > 5
    assert given_back(GLIBC_TUNABLES="glibc.malloc.trim_threshold=131072") > 5
