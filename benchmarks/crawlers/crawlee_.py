"""Crawlee's ParselCrawler with its fastest settings: `python crawlee_.py OUTPUT URL ...`.

Its queue is in memory and its items are written as they come: both faster than its own files.
"""

import json
import logging
import sys
from urllib.parse import urljoin

import uvloop
from crawlee import ConcurrencySettings
from crawlee.configuration import Configuration
from crawlee.crawlers import ParselCrawler
from crawlee.storage_clients import MemoryStorageClient


async def main(output, seeds):
    homes = tuple(seeds)
    crawler = ParselCrawler(
        configuration=Configuration(storage_dir="crawlee"),
        storage_client=MemoryStorageClient(),
        concurrency_settings=ConcurrencySettings(16, 16, desired_concurrency=16),
        respect_robots_txt_file=True,
        use_session_pool=False,
        retry_on_blocked=False,
        max_request_retries=0,
        configure_logging=False,
    )
    with open(output, "w") as lines:  # noqa: ASYNC230  # one small write a page

        @crawler.router.default_handler
        async def parse(context):
            kind = context.http_response.headers.get("content-type", "")
            if not kind.startswith("text/html"):
                return
            url = context.request.loaded_url or context.request.url
            hrefs = context.selector.css("a::attr(href)").getall()
            title = context.selector.css("title::text").get(default="")
            item = {"url": url, "title": " ".join(title.split()), "links": len(hrefs)}
            lines.write(json.dumps(item) + "\n")
            # One request a distinct link: what the queue would throw away is not made first.
            links = {urljoin(url, href) for href in {href.partition("#")[0] for href in hrefs}}
            await context.add_requests([link for link in links if link.startswith(homes)])

        await crawler.run(seeds)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # a link that leads nowhere is a traceback to it
    uvloop.run(main(sys.argv[1], sys.argv[2:]))
