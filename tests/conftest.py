"""What many tests need."""

from collections.abc import AsyncIterator

import pytest

from tests.site import Site


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """A fake site on one loopback address."""
    async with Site() as one:
        yield one
