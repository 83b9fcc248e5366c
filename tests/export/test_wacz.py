import gzip
import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from crawler.errors import OutputError, RunError
from crawler.export.wacz import write_wacz
from crawler.records.page_index import index_line
from tests.export.archives import Frontier, answer, archives, exchange_of, opened, records

LONG = b"<!doctype html><p>the same again and again</p>" * 40


@pytest.fixture
async def run(tmp_path: Path) -> Path:
    """The folder of a run that has archived three pages, in two files."""
    folder, frontier = tmp_path / "run", Frontier()
    folder.mkdir()
    hop = exchange_of("https://a.example/old", b"", status=301)
    pages = [
        answer("https://a.example/", LONG),
        answer("https://a.example/new", LONG, before=(hop,)),
        answer("https://b.example/", LONG + b"!"),
    ]
    async with opened(folder, frontier, most_bytes=1_500) as store:
        places = await store.save(pages)
        await frontier.commit(store)
        await store.settle()
    lines = [index_line(page, place) for page, place in zip(pages, places, strict=True)]
    (folder / "pages.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    return folder


async def test_it_holds_what_the_specification_wants(run: Path, tmp_path: Path) -> None:
    target = tmp_path / "x.wacz"
    write_wacz(run, target, title="three pages")
    package = zipfile.ZipFile(target)
    assert package.testzip() is None
    about = json.loads(package.read("datapackage.json"))
    assert (about["profile"], about["wacz_version"]) == ("data-package", "1.1.1")
    assert about["title"] == "three pages"
    named = {resource["path"]: resource for resource in about["resources"]}
    assert set(package.namelist()) == {*named, "datapackage.json", "datapackage-digest.json"}
    for path, resource in named.items():
        data = package.read(path)
        assert resource["hash"] == f"sha256:{hashlib.sha256(data).hexdigest()}"
        assert resource["bytes"] == len(data)
        assert resource["name"] == path.rpartition("/")[2]
    digest = json.loads(package.read("datapackage-digest.json"))
    whole = hashlib.sha256(package.read("datapackage.json")).hexdigest()
    assert digest == {"path": "datapackage.json", "hash": f"sha256:{whole}"}

    head, *pages = map(json.loads, package.read("pages/pages.jsonl").splitlines())
    assert head["format"] == "json-pages-1.0"
    assert [page["url"] for page in pages] == [
        "https://a.example/",
        "https://a.example/new",
        "https://b.example/",
    ]
    assert all(page["ts"].endswith("Z") for page in pages)


async def test_its_index_leads_to_the_records_in_it(run: Path, tmp_path: Path) -> None:
    write_wacz(run, tmp_path / "x.wacz", title="three pages")
    package = zipfile.ZipFile(tmp_path / "x.wacz")
    files = [info for info in package.infolist() if info.filename.startswith("archive/")]
    assert len(files) == len(archives(run)) > 1
    assert {info.compress_type for info in files} == {zipfile.ZIP_STORED}
    lines = gzip.decompress(package.read("indexes/index.cdx.gz")).decode().splitlines()
    heads = [one for one in records(*archives(run)) if one.type in ("response", "revisit")]
    assert len(lines) == len(heads)
    for line in lines:
        fields = json.loads(line.split(" ", 2)[2])
        data = package.read(f"archive/{fields['filename']}")[int(fields["offset"]) :]
        record = gzip.decompress(data[: int(fields["length"])])
        assert f"WARC-Target-URI: {fields['url']}\r\n".encode() in record


async def test_nothing_is_written_over_and_nothing_made_of_nothing(
    run: Path, tmp_path: Path
) -> None:
    target = tmp_path / "x.wacz"
    target.write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists"):
        write_wacz(run, target, title="t")
    assert target.read_bytes() == b"mine"
    with pytest.raises(RunError, match="--pages warc"):
        write_wacz(tmp_path, tmp_path / "y.wacz", title="t")
    (run / "pages.jsonl").write_text("{}\n")
    with pytest.raises(RunError, match=r"pages\.jsonl: line 1"):
        write_wacz(run, tmp_path / "y.wacz", title="t")
    assert not (tmp_path / "y.wacz").exists()
