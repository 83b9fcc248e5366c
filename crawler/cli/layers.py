"""Settings from files, environment, options."""

import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from crawler.errors import SettingError, UsageError
from crawler.setting_values import unknown
from crawler.settings import NAMES, Layer

_PREFIX = "CRAWLER_"


def file_layers(folder: Path) -> list[Layer]:
    """Return what `crawler.toml` or `[tool.crawler]` of `pyproject.toml` in `folder` sets."""
    own = folder / "crawler.toml"
    if own.exists():
        return [Layer("crawler.toml", _toml(own))]
    project = folder / "pyproject.toml"
    tools = _toml(project).get("tool", {}) if project.exists() else {}
    table = tools.get("crawler", {}) if isinstance(tools, dict) else {}
    if not isinstance(table, dict):
        raise SettingError(f"pyproject.toml: [tool.crawler] must be a table, got {table!r}")
    return [Layer("pyproject.toml [tool.crawler]", table)] if table else []


def environment_layer(environ: Mapping[str, str]) -> Layer:
    """Return the settings among the CRAWLER_ variables. Raises `SettingError` for a stray one."""
    values = {}
    for variable, text in environ.items():
        if variable.startswith(_PREFIX):
            name = variable.removeprefix(_PREFIX).lower()
            if name not in NAMES:
                raise SettingError(f"environment: {unknown('setting', name, NAMES)} ({variable})")
            values[name] = text
    return Layer("environment", values)


def option_layer(pairs: Sequence[str], flags: Mapping[str, object]) -> Layer:
    """Return what `-s NAME=VALUE` and the flags set; a flag of None was not given."""
    given = {name: value for name, value in flags.items() if value is not None}
    return Layer("command line", {**split(pairs, "-s"), **given})


def split(pairs: Sequence[str], option: str) -> dict[str, object]:
    """Return NAME=VALUE texts as a dict. Raises `UsageError`."""
    values: dict[str, object] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise UsageError(f"{option} takes NAME=VALUE, got {pair!r}")
        values[name.strip()] = text
    return values


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingError(f"{path.name}: cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingError(f"{path.name}: cannot be read: {error}") from None


def layers(pairs: Sequence[str], flags: Mapping[str, object]) -> tuple[list[Layer], list[Layer]]:
    """Return the layers below and above the spider's own settings."""
    files = file_layers(Path.cwd())
    above = [environment_layer(os.environ), option_layer(pairs, flags)]
    # Pages that are parsed again are stored already.
    again = any(layer.values.get("source") for layer in (*files, *above))
    usual = {"pages": "none" if again else "files", "frontier": "sqlite"}
    return [Layer("command line default", usual), *files], above
