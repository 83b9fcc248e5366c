"""Two processes survive what one does, and tell the same of it."""

from collections import Counter
from pathlib import Path

from tests.mockserver import redirects
from tests.mockserver.crawling import SECRETS, crawl_all, wrong_ends
from tests.mockserver.server import INNER, MockServer
from tests.test_accounting import unaccounted


async def test_a_server_of_hundreds_of_misbehaviours_is_told_as_by_one_process(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    async with MockServer() as server:
        crawled = await crawl_all(folder, server, "--processes", "2")
    done = crawled.done
    assert done.status == 0, done.err
    assert not wrong_ends(crawled, server)
    assert unaccounted(done.report["counts"]) == 0
    assert done.report["finished"]
    assert not [hit for hit in server.log if hit.host in INNER]
    told = {hit.host for hit in server.log if SECRETS & {value for _, value in hit.headers}}
    assert told == {redirects.theme.host}
    pages = Counter(page["url"] for page in done.lines("pages.jsonl"))
    assert max(pages.values()) == 1
