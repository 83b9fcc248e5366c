"""What a server of the tests leaves behind: nothing."""

import asyncio
import socket
from asyncio import StreamReader, StreamWriter

import pytest

from tests.loopback import Loopback, Streams


async def echo(reader: StreamReader, writer: StreamWriter) -> None:
    while line := await reader.readline():
        writer.write(line)


async def silent(reader: StreamReader, writer: StreamWriter) -> None:
    await asyncio.Event().wait()


async def connected(server: Loopback, host: str = "127.0.0.1") -> tuple[StreamReader, StreamWriter]:
    return await asyncio.open_connection(host, server.port)


async def test_all_addresses_have_one_port() -> None:
    async with Loopback(Streams(echo), hosts=["127.0.0.1", "127.0.0.2"]) as server:
        for host in server.hosts:
            reader, writer = await connected(server, host)
            writer.write(b"hello\n")
            assert await reader.readline() == b"hello\n"
            writer.close()
            await writer.wait_closed()
        assert server.url("/x", host="127.0.0.2") == f"http://127.0.0.2:{server.port}/x"


async def test_what_goes_on_at_the_end_is_ended_in_silence(
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = asyncio.all_tasks()
    async with Loopback(Streams(silent)) as server:
        reader, writer = await connected(server)
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()
    assert asyncio.all_tasks() == before
    with pytest.raises(ConnectionRefusedError):
        await connected(server)
    assert not caplog.records


async def test_who_waits_for_the_end_ends_by_itself() -> None:
    ended = asyncio.Event()

    async def waiting(reader: StreamReader, writer: StreamWriter) -> None:
        await server.rest(3600.0)
        ended.set()

    async with Loopback(Streams(waiting)) as server:
        _, writer = await connected(server)
    assert ended.is_set()
    writer.close()


async def test_what_nobody_reads_keeps_nobody_waiting() -> None:
    async def flood(reader: StreamReader, writer: StreamWriter) -> None:
        writer.write(bytes(50_000_000))

    async with Loopback(Streams(flood)) as server, asyncio.timeout(20):
        _, writer = await connected(server)
    writer.close()


async def test_a_connection_that_breaks_is_nobodys_fault() -> None:
    async with Loopback(Streams(echo)) as server:
        _, writer = await connected(server)
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"
        )
        writer.transport.abort()


async def test_a_mistake_of_what_serves_fails_the_test() -> None:
    async def wrong(reader: StreamReader, writer: StreamWriter) -> None:
        raise ValueError("a mistake")

    async def visit() -> None:
        async with Loopback(Streams(wrong)) as server:
            reader, writer = await connected(server)
            assert await reader.read() == b""
            writer.close()

    with pytest.raises(ValueError, match="a mistake"):
        await visit()
