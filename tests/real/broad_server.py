"""Serves 127.1.X.Y for many X.Y on one port, and logs what it sees; run as a process of its own.

`python broad_server.py HOSTS` prints its port; when its standard input closes it prints one line
`arrived left host` for each request (seconds, monotonic).
"""

import asyncio
import sys
import time


def address(number: int) -> str:
    return f"127.1.{number // 250}.{number % 250 + 1}"


async def main(hosts: int) -> None:
    log: list[tuple[float, float, str]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host = writer.get_extra_info("sockname")[0]
        while head := await _head(reader):
            arrived = time.monotonic()
            path = head.split(b" ", 2)[1]
            await asyncio.sleep(0.05)
            status = b"404 Not Found" if path == b"/robots.txt" else b"200 OK"
            log.append((arrived, time.monotonic(), host))
            writer.write(
                b"HTTP/1.1 %s\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nok" % status
            )
        writer.close()

    first = await asyncio.start_server(serve, address(0), 0, backlog=64)
    port = first.sockets[0].getsockname()[1]
    for number in range(1, hosts):
        await asyncio.start_server(serve, address(number), port, backlog=64)
    print(port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for arrived, left, host in log:
        print(arrived, left, host)


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
