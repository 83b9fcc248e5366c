"""The bare loop: aiohttp, selectolax, urljoin, a set, JSON lines out. No features.

`python bare.py OUTPUT URL ...`
"""

import asyncio
import json
import sys
from urllib.parse import urljoin

import aiohttp
from selectolax.lexbor import LexborHTMLParser

WORKERS = 16


async def main(output: str, seeds: list[str]) -> None:
    homes = tuple(seeds)
    seen = set(seeds)
    queue: asyncio.Queue[str] = asyncio.Queue()
    for seed in seeds:
        queue.put_nowait(seed)

    async def work() -> None:
        while True:
            url = await queue.get()
            try:
                async with session.get(url) as answer:
                    if answer.status != 200 or answer.content_type != "text/html":
                        continue
                    body = await answer.read()
                tree = LexborHTMLParser(body)
                title = tree.css_first("title")
                anchors = tree.css("a[href]")
                for anchor in anchors:
                    link = urljoin(url, anchor.attributes["href"]).partition("#")[0]
                    if link.startswith(homes) and link not in seen:
                        seen.add(link)
                        queue.put_nowait(link)
                item = {
                    "url": url,
                    "title": " ".join(title.text().split()) if title else "",
                    "links": len(anchors),
                }
                lines.write(json.dumps(item) + "\n")
            finally:
                queue.task_done()

    # Nobody vouches for the certificate of a benchmark.
    connector = aiohttp.TCPConnector(ssl=False) if homes[0].startswith("https:") else None
    with open(output, "w") as lines:  # noqa: ASYNC230  # the bare loop is as plain as that
        async with aiohttp.ClientSession(connector=connector) as session:
            workers = [asyncio.create_task(work()) for _ in range(WORKERS)]
            await queue.join()
            for worker in workers:
                worker.cancel()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2:]))
