"""Finds spiders, and builds them."""

import importlib.util
import inspect
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from crawler.cli import COMMANDS
from crawler.cli.streams import warn
from crawler.errors import CrawlerError, SpiderError
from crawler.setting_values import unknown
from crawler.spider import Spider
from crawler.usercode import load_guarded

SpiderClass = type[Spider[Any]]
_MOST_NAMES = 10


class Found(Struct, frozen=True):
    """A spider and the file it is in."""

    name: str
    kind: SpiderClass
    path: Path


class Folder(Struct, frozen=True):
    """What `./spiders/` holds: spiders by name, and files that cannot be imported, with reasons."""

    spiders: Mapping[str, Found]
    broken: Sequence[str]


def spiders_in(folder: Path) -> Folder:
    """Import every file of a folder. Raises `SpiderError` if two spiders have one name."""
    found: dict[str, Found] = {}
    broken: list[str] = []
    for path in sorted(folder.glob("*.py")):
        try:
            several = _spiders_of(path)
        except SpiderError as error:
            broken.append(str(error))
            continue
        for spider in several:
            if spider.name in found:
                raise SpiderError(
                    f"two spiders are named {spider.name!r}: in {found[spider.name].path} "
                    f"and {path}; give one of them another `name`"
                )
            found[spider.name] = spider
    return Folder(found, broken)


def find(name: str) -> SpiderClass:
    """Return the spider called `name`, or the one in `path/file.py[:Class]`."""
    path, _, wanted = name.partition(":")
    if path.endswith(".py"):
        return _find_in_file(Path(path), wanted)
    folder = Path("spiders")
    here = spiders_in(folder)
    if name in here.spiders:
        for reason in here.broken:
            warn(f"note: {reason}")
        return here.spiders[name].kind
    problem = unknown("spider", name, [*here.spiders, *COMMANDS])
    if Path(f"{name}.py").is_file():
        problem += f"; there is a file: crawl {name}.py"
    elif not folder.is_dir():
        problem += "; there is no folder ./spiders/ here"
    elif "did you mean" not in problem:
        problem += f"; ./spiders/ has {', '.join(sorted(here.spiders)[:_MOST_NAMES]) or 'none'}"
    raise SpiderError("; ".join([problem, *here.broken]))


def build(kind: SpiderClass, arguments: Mapping[str, object]) -> Spider[Any]:
    """Make the spider with `-a` arguments, each read as its parameter is annotated."""
    parameters = dict(list(inspect.signature(kind.__init__).parameters.items())[1:])
    known = {
        name: p for name, p in parameters.items() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    }
    own = kind.__init__ is not object.__init__
    open_ended = own and any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    values = {}
    for name, text in arguments.items():
        if name not in known and not open_ended:
            takes = f"; it takes {', '.join(known)}" if known else "; it takes none"
            raise SpiderError(f"spider {kind.name}: {unknown('argument', name, known)}{takes}")
        values[name] = _read(kind, name, text, known)
    missing = [n for n, p in known.items() if p.default is p.empty and n not in values]
    if missing:
        needs = " ".join(f"-a {name}=…" for name in missing)
        raise SpiderError(f"spider {kind.name} needs {needs}")
    made: list[Spider[Any]] = []
    if raised := load_guarded(lambda: made.append(kind(**values))):
        reason = str(raised.error) if isinstance(raised.error, CrawlerError) else raised.reason
        raise SpiderError(f"spider {kind.name}: {reason}")
    return made[0]


def source_of(kind: SpiderClass) -> str:
    """Return how the command line finds a spider again, from any folder."""
    return f"{Path(inspect.getfile(kind)).resolve()}:{kind.__name__}"


def note_on(name: str) -> str | None:
    """Return what to say of a spider that is named like a command."""
    if name not in COMMANDS:
        return None
    return f"spider {name!r} is named like a command: run it as `crawl run {name}`"


def _read(
    kind: SpiderClass, name: str, text: object, known: Mapping[str, inspect.Parameter]
) -> object:
    try:
        annotation = inspect.get_annotations(kind.__init__, eval_str=True).get(name, str)
    except NameError as error:
        raise SpiderError(f"spider {kind.name}: an annotation cannot be read: {error}") from None
    try:
        if annotation is not str and text in ("none", "None") and known[name].default is None:
            return None
        return msgspec.convert(text, annotation, strict=False, dec_hook=_path)
    except (msgspec.ValidationError, NotImplementedError, TypeError):
        wanted = getattr(annotation, "__name__", str(annotation))
        raise SpiderError(f"-a: {name} must be {wanted}, got {text!r}") from None


def _path(kind: type, text: object) -> object:
    """Read what msgspec does not know of itself."""
    if kind is Path and isinstance(text, str):
        return Path(text)
    raise NotImplementedError(kind)


def _find_in_file(path: Path, wanted: str) -> SpiderClass:
    if not path.is_file():
        raise SpiderError(f"{path}: there is no such file")
    there = _spiders_of(path)
    found = there
    if wanted:
        found = [spider for spider in there if wanted in (spider.kind.__name__, spider.name)]
    if len(found) == 1:
        return found[0].kind
    if not found and not wanted:
        raise SpiderError(f"{path}: has no spider")
    names = ", ".join(spider.kind.__name__ for spider in there) or "none"
    if not found:
        raise SpiderError(f"{path}: has no spider {wanted!r}; it has {names}")
    raise SpiderError(f"{path}: name one spider as {path}:Class; it has {names}")


def _spiders_of(path: Path) -> list[Found]:
    """Import a file; return the spiders it defines itself."""
    for folder in (str(Path.cwd()), str(path.resolve().parent)):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    name = f"{path.parent.name}.{path.stem}" if path.parent.name == "spiders" else path.stem
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None, "a .py file always has a loader"
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    loader = spec.loader

    def load() -> None:
        try:
            loader.exec_module(module)
        except SystemExit as ended:
            error = ImportError("it ends the process when it is imported")
            raise error.with_traceback(ended.__traceback__) from None

    if raised := load_guarded(load):
        raise SpiderError(f"{path}: cannot be imported: {_place(raised.error, path)}")
    return [
        Found(kind.name, kind, path)
        for kind in dict.fromkeys(k for k in vars(module).values() if isinstance(k, type))
        if issubclass(kind, Spider) and kind.__module__ == name
    ]


def _place(error: Exception, path: Path) -> str:
    """Return one line for an import's failure, with the line of the file it came from."""
    line = getattr(error, "lineno", None)
    trace = error.__traceback__
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename).resolve() == path.resolve():
            line = trace.tb_lineno
        trace = trace.tb_next
    where = f" (line {line})" if line else ""
    words = str(error.msg) if isinstance(error, SyntaxError) else _one_line(error)
    return f"{type(error).__name__}: {words}{where}"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
