"""A real limit on file sizes, in the place of a disk that fills."""

import resource
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

SizeLimit = Callable[[int], AbstractContextManager[None]]


@pytest.fixture
def size_limit() -> SizeLimit:
    """Let no file of this process grow past some bytes: writes are cut short, then fail (EFBIG)."""

    @contextmanager
    def limited(size: int) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limited
