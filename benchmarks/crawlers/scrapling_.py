"""Scrapling's spiders with their fastest settings: `python scrapling_.py OUTPUT URL ...`.

No browser is impersonated: plain requests are faster.
"""

import logging
import sys
from urllib.parse import urlsplit

from scrapling.fetchers import FetcherSession
from scrapling.spiders import Request, Spider


class Docs(Spider):
    name = "docs"
    concurrent_requests = 16
    robots_txt_obey = True
    logging_level = logging.ERROR

    def __init__(self, seeds):
        super().__init__()
        self.start_urls = seeds
        self.allowed_domains = {urlsplit(seed).netloc for seed in seeds}

    def configure_sessions(self, manager):
        manager.add("default", FetcherSession(impersonate=None, stealthy_headers=False, retries=1))

    async def parse(self, response):
        kind = response.headers.get("content-type", "")
        if response.status != 200 or not kind.startswith("text/html"):
            return
        hrefs = response.css("a::attr(href)").getall()
        title = response.css("title::text").get() or ""
        yield {"url": response.url, "title": " ".join(title.split()), "links": len(hrefs)}
        distinct = {href.partition("#")[0] for href in hrefs}
        # One request a distinct link: what the scheduler would throw away is not made first.
        for link in {response.urljoin(href) for href in distinct}:
            if link.startswith("http"):
                yield Request(link)


if __name__ == "__main__":
    output, *seeds = sys.argv[1:]
    Docs(seeds).start(use_uvloop=True).items.to_jsonl(output)
