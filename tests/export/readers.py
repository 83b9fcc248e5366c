"""Other programs that read what we write."""

import csv
import io
import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet
from lxml import etree

Rows = list[dict[str, Any]]
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


def unpacked(path: Path) -> bytes:
    """Return a file's text by the programs everybody has for it, which check it as well."""
    tool = {".gz": "gzip", ".zst": "zstd"}.get(path.suffix)
    if tool is None:
        return path.read_bytes()
    subprocess.run([tool, "-tq", path], check=True)
    return subprocess.run([tool, "-dcq", path], check=True, capture_output=True).stdout


def lines(path: Path) -> Rows:
    return [json.loads(line) for line in unpacked(path).split(b"\n")[:-1]]


def array(path: Path) -> Rows:
    found: Rows = json.loads(unpacked(path))
    return found


def table(path: Path) -> Rows:
    text = io.StringIO(unpacked(path).decode(), newline="")
    return list(csv.DictReader(text, strict=True))


def elements(path: Path) -> Any:
    """Return the items of an XML file, as libxml2 has them."""
    root = etree.fromstring(unpacked(path), etree.XMLParser(huge_tree=True))
    assert root.tag == "items"
    return list(root)


def document(path: Path) -> Rows:
    """Return the items of an XML file with all values as text, lists by their `value`s."""
    return [{_key(field): value_of(field) for field in item} for item in elements(path)]


def _key(element: Any) -> str:
    if "json-name" in element.attrib:
        return str(json.loads(element.get("json-name")))
    return str(element.get("name", element.tag))


def value_of(element: Any) -> Any:
    if element.get(NIL) == "true":
        return None
    if "json" in element.attrib:
        return json.loads(element.get("json"))
    if len(element):
        if all(child.tag == "value" for child in element):
            return [value_of(child) for child in element]
        return {_key(child): value_of(child) for child in element}
    return element.text or ""


def duck(query: str) -> list[tuple[Any, ...]]:
    """Return what DuckDB answers."""
    with duckdb.connect() as connection:
        return connection.execute(query).fetchall()


def parquet(path: Path) -> Rows:
    """Return the rows of a Parquet file; DuckDB has to find the same."""
    rows: Rows = pyarrow.parquet.read_table(path).to_pylist()
    if rows and rows[0]:
        assert duck(f"SELECT count(*) FROM read_parquet('{path}')") == [(len(rows),)]
    return rows


TEXT: Mapping[str, Callable[[Path], Rows]] = {
    ".jsonl": lines,
    ".json": array,
    ".csv": table,
    ".xml": document,
}


def read(path: Path) -> Rows:
    """Read a file of any format by its name."""
    if path.suffix == ".parquet":
        return parquet(path)
    suffix = path.suffix if path.suffix in TEXT else Path(path.stem).suffix
    return TEXT[suffix](path)
