"""What no file of the crawler does: unpickle, evaluate, import by a page's word, or listen."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "crawler"
FILES = sorted(PACKAGE.rglob("*.py"))

MODULES = {
    "pickle", "_pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "yaml",
    "code", "codeop", "multiprocessing", "xmlrpc", "pty", "telnetlib", "http.server",
    "socketserver", "wsgiref", "asyncore",
}  # fmt: skip
"""What runs what it reads, or serves."""

CALLS = {"eval", "exec", "compile", "__import__", "execfile", "breakpoint"}
METHODS = {
    "system", "popen", "create_subprocess_shell", "getoutput", "getstatusoutput", "spawnl",
    "spawnv", "Unpickler", "run_module", "run_path",
}  # fmt: skip
IMPORTING = {"importlib", "pkgutil", "runpy", "imp", "zipimport"}
IMPORTERS = {
    "__init__.py": "names of a table",
    "cli": "a command's, or the user's own spider",
    "extras.py": "whether packages of a table are there",
}
SERVING = {
    "start_server", "start_unix_server", "create_server", "create_unix_server", "run_app",
    "TCPSite", "SockSite", "UnixSite", "AppRunner", "ServerRunner",
}  # fmt: skip
CONNECTING = {"fetch": "sockets to addresses that the guard lets through"}
SERVERS = {"demo": "the shop that `crawl demo` is asked to serve, on loopback"}


def dangers(text: str, *, room: str) -> list[str]:
    """What a file of `room` (its folder or name in the package) may not have in it."""
    return [found for node in ast.walk(ast.parse(text)) for found in _of(node, room)]


def _of(node: ast.AST, room: str) -> Iterator[str]:
    for module in _imported(node):
        roots = {module, module.partition(".")[0]}
        if roots & MODULES or (roots & IMPORTING and room not in IMPORTERS):
            yield f"imports {module}"
        if module.startswith("aiohttp.web") and room not in SERVERS:
            yield f"imports {module}"
    if isinstance(node, ast.Name) and node.id in CALLS:
        yield node.id
    if isinstance(node, ast.Attribute) and node.attr in METHODS | (CALLS - {"compile"}):
        yield f".{node.attr}"
    if isinstance(node, ast.Attribute) and node.attr in SERVING and room not in SERVERS:
        yield f".{node.attr}"
    if room not in CONNECTING and isinstance(node, ast.Attribute | ast.Name):
        yield from {"socket.socket"} & {ast.unparse(node)}  # what could be bound
    if isinstance(node, ast.keyword) and node.arg == "shell":
        yield "shell="


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(PACKAGE)) for path in FILES])
def test_no_file_has_a_danger(path: Path) -> None:
    assert dangers(path.read_text(), room=path.relative_to(PACKAGE).parts[0]) == []


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from pickle import loads",
        "import pickle as p",
        "from multiprocessing.connection import Listener",
        "from http import server",
        "import yaml",
        "def late():\n    import marshal",
        "eval(x)",
        "run = exec",
        "builtins.eval(x)",
        "compile(x, '', 'exec')",
        "__import__(name)",
        "import importlib",
        "from importlib import import_module",
        "subprocess.run(x, shell=True)",
        "os.system(x)",
        "asyncio.create_subprocess_shell(x)",
        "await asyncio.start_server(f)",
        "socket.create_server(('', 0))",
        "from aiohttp import web",
        "import aiohttp.web",
    ],
)
def test_a_danger_is_seen(line: str) -> None:
    assert dangers(line, room="fetch")


def test_where_importing_and_serving_are_for_they_may_be() -> None:
    assert not dangers("from importlib import import_module", room="cli")
    assert not dangers("from aiohttp import web\nsocket.create_server(x)", room="demo")
    assert dangers("from aiohttp import web", room="cli")
    assert not dangers("sock = socket.socket()", room="fetch")
    assert dangers("sock = socket.socket()", room="export")
