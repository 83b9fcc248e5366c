"""What `crawl` asks of the process that it has for itself."""

import gc
import os
import resource
from contextlib import suppress

from msgspec import structs

from crawler.descriptors import most_connections
from crawler.settings import Settings

_DESCRIPTORS = 65_536
_KIBIBYTE = 1 << 10
# mallopt's parameters, as in glibc's malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
# A page's tree comes and goes. By default glibc gives the top of the heap back as soon as 128 KiB
# of it are free, and takes it again with the next page: a page fault for every 4 KiB. What is
# larger than most pages, and than the 256 KiB that asyncio reads at once, is given back as before.
_HEAP = {
    _TOP_PAD: 4_096 * _KIBIBYTE,
    _TRIM_THRESHOLD: 16_384 * _KIBIBYTE,
    _MMAP_THRESHOLD: 512 * _KIBIBYTE,
}
_HEAP_VARIABLES = ("MALLOC_TOP_PAD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_")


def prepare_process(settings: Settings) -> Settings:
    """Let this process hold many connections, and keep what every page needs anew.

    Returns settings with no more requests at once than it may hold connections.
    """
    _allow_connections()
    _keep_heap()
    gc.freeze()  # what there is by now stays
    most = min(settings.concurrency, most_connections())
    return structs.replace(settings, concurrency=most)


def _allow_connections() -> None:
    """Let this process hold as many connections as the system lets it.

    The usual 1,024 descriptors are few for a broad crawl that keeps connections alive.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(OSError, ValueError):  # macOS has a limit of its own below the hard one
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _keep_heap() -> None:
    """Have the C library keep some free memory, unless the user told it how much to keep."""
    tunables = os.environ.get("GLIBC_TUNABLES", "")
    if "glibc.malloc." in tunables or not os.environ.keys().isdisjoint(_HEAP_VARIABLES):
        return
    with suppress(ImportError, OSError, AttributeError):  # no glibc, or no way to it: as it was
        import ctypes  # 2 ms that only a crawl needs, and not every Python has

        mallopt = ctypes.CDLL(None).mallopt
        for parameter, value in _HEAP.items():
            mallopt(parameter, value)
