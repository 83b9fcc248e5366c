"""Scrapy with its fastest documented settings: `python scrapy_.py [--follow-all] OUTPUT URL ...`.

With `--follow-all` links are followed as its tutorial does it, without it as it is fastest.
"""

import sys
from urllib.parse import urlsplit

import scrapy
from scrapy.crawler import AsyncCrawlerProcess

SETTINGS = {
    "CONCURRENT_REQUESTS": 16,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
    "DOWNLOAD_DELAY": 0,
    "ROBOTSTXT_OBEY": True,
    "COOKIES_ENABLED": False,
    "REFERER_ENABLED": False,
    "TELNETCONSOLE_ENABLED": False,
    "LOG_LEVEL": "ERROR",
    "ASYNCIO_EVENT_LOOP": "uvloop.Loop",
    "TWISTED_REACTOR": "twisted.internet.asyncioreactor.AsyncioSelectorReactor",
}


class Docs(scrapy.Spider):
    name = "docs"

    def __init__(self, seeds, **arguments):
        super().__init__(**arguments)
        self.seeds = seeds
        self.allowed_domains = [urlsplit(seed).hostname for seed in seeds]

    async def start(self):
        # As start_urls they would not be filtered, and crawled again when a page links to them.
        for seed in self.seeds:
            yield scrapy.Request(seed)

    def parse(self, response):
        if not isinstance(response, scrapy.http.HtmlResponse):
            return
        hrefs = response.css("a::attr(href)").getall()
        title = response.css("title::text").get(default="")
        yield {"url": response.url, "title": " ".join(title.split()), "links": len(hrefs)}
        yield from self.followed(response, hrefs)

    def followed(self, response, hrefs):
        # One request a distinct link: what the dupe filter would throw away is not made first.
        links = {response.urljoin(href) for href in {href.partition("#")[0] for href in hrefs}}
        yield from (scrapy.Request(link) for link in links if link.startswith("http"))


class TutorialDocs(Docs):
    def followed(self, response, hrefs):
        yield from response.follow_all(css="a")


if __name__ == "__main__":
    output, *seeds = [argument for argument in sys.argv[1:] if argument != "--follow-all"]
    feeds = {output: {"format": "jsonlines"}}
    process = AsyncCrawlerProcess({**SETTINGS, "FEEDS": feeds})
    process.crawl(TutorialDocs if "--follow-all" in sys.argv else Docs, seeds=seeds)
    process.start()
