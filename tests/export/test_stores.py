from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from crawler.export.stores import STORES, Ground, open_store
from crawler.request import Request
from crawler.response import Response
from crawler.settings import Settings, SettingsDict

PAGE = Response("https://a.example/x.html", request=Request("https://a.example/x.html"), body=b"x")


def test_every_value_of_the_setting_opens_a_store_and_no_other_does() -> None:
    assert set(get_args(get_type_hints(Settings)["pages"])) == set(STORES)
    assert set(get_args(get_type_hints(SettingsDict)["pages"])) == set(STORES)


@pytest.mark.parametrize(
    ("kind", "name"),
    [("files", "pages/a.example/x.html"), ("warc", "warc/run-0-00000.warc.gz"), ("none", "")],
)
async def test_the_store_that_is_named_keeps_the_bodies(
    tmp_path: Path, kind: str, name: str
) -> None:
    settings = Settings(pages=kind, min_free_bytes=0)  # type: ignore[arg-type]  # one of them
    async with open_store(Ground(tmp_path, settings)) as store:
        (place,) = await store.save([PAGE])
    assert place.file == name
    assert (tmp_path / name).is_file() == (kind != "none")
