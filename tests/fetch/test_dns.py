import socket
import threading

import pytest

from crawler.fetch.dns import Resolver


async def test_a_name_has_addresses() -> None:
    resolver = Resolver()
    found = await resolver.resolve("localhost", 80)
    await resolver.close()
    assert {entry["host"] for entry in found} & {"127.0.0.1", "::1"}
    assert {entry["port"] for entry in found} == {80}
    assert {entry["hostname"] for entry in found} == {"localhost"}


async def test_a_family_is_kept_to() -> None:
    resolver = Resolver()
    found = await resolver.resolve("localhost", 80, socket.AF_INET)
    await resolver.close()
    assert {entry["family"] for entry in found} == {socket.AF_INET}


async def test_a_name_without_address_is_an_error_of_the_system() -> None:
    resolver = Resolver()
    with pytest.raises(OSError, match=r".") as caught:
        await resolver.resolve("does-not-exist.invalid", 80)
    await resolver.close()
    assert isinstance(caught.value, socket.gaierror)


async def test_a_name_no_dns_can_carry_is_an_error_too() -> None:
    resolver = Resolver()
    with pytest.raises((OSError, UnicodeError)):
        await resolver.resolve("a" * 70 + ".example", 80)
    await resolver.close()


async def test_closing_leaves_no_thread_behind() -> None:
    resolver = Resolver()
    await resolver.resolve("localhost", 80)
    mine = [thread for thread in threading.enumerate() if thread.name.startswith("dns")]
    await resolver.close()
    for thread in mine:
        thread.join(5.0)
    assert mine
    assert not any(thread.is_alive() for thread in mine)
