"""Labels of the Encoding Standard, and its decoders byte by byte."""

import ast
import itertools
import json
import random
import shutil
import subprocess
from collections.abc import Iterable, Iterator

from crawler.parse.charsets import MULTI_BYTE, SINGLE_BYTE
from crawler.parse.encoding import decode, detect
from tests.conformance.packages import FOLDER, Package

WEBENCODINGS = Package(
    registry="pypi",
    name="webencodings",
    version="0.6.1",
    file="webencodings-0.6.1-py3-none-any.whl",
    sha256="7fab6269c8bf237c657876b52058ccb182e861518d1c695c1a9aaa8c1c105d5b",
)
# Decoders in JavaScript that were checked against the standard's own tables.
EXODUS = Package(
    registry="npm",
    name="@exodus/bytes",
    version="1.16.0",
    file="exodus-bytes-1.16.0.tgz",
    sha256="bc5282c79f68d01e1516385aee4ffbe6ba955f023e685f3cf2fd3ffcb00c8841",
)
SNIFFER = Package(
    registry="npm",
    name="html-encoding-sniffer",
    version="7.0.0",
    file="html-encoding-sniffer-7.0.0.tgz",
    sha256="eb8d28f85e3fff74434b29557c4fc66b6039f8f92d3e812492426a54c8368a7a",
)
_DECODE = """
const { TextDecoder } = await import('@exodus/bytes/encoding.js')
const decoder = new TextDecoder(LABEL, { ignoreBOM: true })
const answer = (body) => decoder.decode(body)
"""
_SNIFF = """
const { default: sniff } = await import('html-encoding-sniffer')
const answer = (body) => sniff(body, { defaultEncoding: 'UTF-8' }).toLowerCase()
"""
_RUN = """
import { readFileSync } from 'node:fs'
const bodies = readFileSync(0, 'latin1').split('\\n').map((hex) => Buffer.from(hex, 'hex'))
process.stdout.write(bodies.map((body) => JSON.stringify(answer(body))).join('\\n'))
"""
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def labels() -> Iterator[tuple[str, bool]]:
    """Each label twice: as it is, and in capitals between white space."""
    tree = ast.parse(WEBENCODINGS.read("webencodings/labels.py"))
    [table] = [node.value for node in tree.body if isinstance(node, ast.Assign)]
    for label, name in ast.literal_eval(table).items():
        for written in (label, f"\t {label.upper()}\n "):
            yield repr(written), detect(b"x", f'text/html; charset="{written}"') == name


def decoders() -> Iterator[tuple[str, bool]]:
    """Byte sequences of every encoding, well-formed and not."""
    for name in (*MULTI_BYTE, *SINGLE_BYTE):
        if name == "replacement":
            continue
        bodies = [body for body in _bodies(name) if not body.startswith(_BOMS)]
        for body, expected in zip(bodies, _expected(name, bodies), strict=True):
            given = decode(body, f"text/html; charset={name}")
            yield f"{name} {body.hex(' ')}", given == expected


def prescan() -> Iterator[tuple[str, bool]]:
    """Beginnings of pages, put together by chance."""
    EXODUS.installed()
    SNIFFER.installed()
    chance = random.Random("prescan")
    heads = [
        "".join(chance.choices(_TAGS, k=chance.randrange(1, 14))).encode() for _ in range(40_000)
    ]
    for head, expected in zip(heads, _answers(_SNIFF, heads), strict=True):
        yield repr(head), detect(head, "text/html") == expected


def _expected(name: str, bodies: Iterable[bytes]) -> list[str]:
    EXODUS.installed()
    texts = _answers(_DECODE.replace("LABEL", repr(name)), bodies)
    return [text.encode("utf-16", "surrogatepass").decode("utf-16") for text in texts]


def _answers(script: str, bodies: Iterable[bytes]) -> list[str]:
    node = shutil.which("node")
    if node is None:
        raise SystemExit("node is missing: apt-get install nodejs, or https://nodejs.org")
    shown = subprocess.run(
        [node, "--input-type=module", "-e", script + _RUN],
        input="\n".join(body.hex() for body in bodies),
        cwd=FOLDER,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in shown.stdout.split("\n")]


# No end tag of a longer name: the sniffer ends one at ">", the standard reads its attributes.
_TAGS = [
    *("<meta ", "<meta", "<META ", "<meta/", "<metax ", "charset=", "charset", "CHARSET = "),
    *("charset\n=", "http-equiv=", "http-equiv='content-type' ", "http-equiv=Content-Type "),
    *("content='text/html; charset=gbk' ", "content=", "text/html; charset=koi8-r", "name=x "),
    *('charset = "big5"', "utf-8", "utf-16", "x-user-defined", "gbk", "koi8-r", "nonsense", "'"),
    *('"', ">", "/>", "/", " ", "\n", "\f", "\t", "=", "<!--", "-->", "--!>", "<!-->", "<!--->"),
    *("<!doctype html>", "<?php ?>", "<?xml version='1.0' encoding='euc-jp'?>", "<a ", "<a b='"),
    *("</p>", "<", "< ", "<1>", "a", "x=y ", "<title>", "<script>", "</script>", ";", "\0"),
    *(" charset=gbk>", "<meta charset=gbk>", "<meta charset='koi8-r'>"),
]


def _bodies(name: str) -> Iterator[bytes]:
    """What is tried of an encoding: all single bytes, all pairs, what is longer by chance."""
    yield from (bytes([byte]) for byte in range(256))
    if name in SINGLE_BYTE:
        return
    yield from _by_chance(name)
    if name == "iso-2022-jp":
        for first, second in itertools.product(range(0x21, 0x7F), range(256)):
            yield b"\x1b$B" + bytes([first, second])
        for byte in range(256):
            yield from (b"\x1b(I" + bytes([byte]), b"\x1b(J" + bytes([byte]))
    elif not name.startswith("utf-"):
        yield from map(bytes, itertools.product(range(0x80, 0x100), range(256)))
    if name == "euc-jp":
        yield from map(bytes, itertools.product([0x8F], range(0x80, 0x100), range(256)))
    if name == "gb18030":
        for a, b, c in itertools.product(range(0x81, 0xFF), range(0x30, 0x3A), range(0x81, 0xFF)):
            # All of the plane that has gaps, of the others every tenth.
            for d in range(0x30, 0x3A) if a <= 0x84 else (0x30 + (a + b + c) % 10,):
                yield bytes([a, b, c, d])


_PIECES = {
    "iso-2022-jp": [b"\x1b", b"\x1b$", b"\x1b(", b"\x1b$B", b"\x1b$@", b"\x1b(B", b"\x1b(J"]
    + [b"\x1b(I", b"\x1b$(D", b"\x0e", b"\x0f", b"A", b"\\", b"~", b"!", b"0!", b"%=", b"\x80"]
    + [b"\n", b"<", b"\x7f", b"-!", b"\xff"],
    "utf": [bytes([byte]) for byte in b"\0A<\xd8\xdb\xdc\xdf\xe0\xed\xef\xf0\xf4\x80\x8f\x90\xa0"]
    + [bytes([byte]) for byte in b"\xbb\xbf\xc0\xc2\xfe\xff"],
    "": [bytes([byte]) for byte in b"\r09<A\\~\x80\x81\x87\x8e\x8f\xa0\xa1\xa2\xb7\xdf\xe0\xfc"]
    + [b"\xfe", b"\xff", b"\xa2A", b"\xa2B", b"\x8f\xa2\xb7"],
}


def _by_chance(name: str) -> Iterator[bytes]:
    chance = random.Random(name)
    pieces = _PIECES.get(name) or _PIECES["utf" if name.startswith("utf-") else ""]
    for _ in range(30_000):
        yield b"".join(chance.choices(pieces, k=chance.randrange(1, 9)))
