"""Writes the table in docs/settings.md: `python -m tests.settings_table`."""

from pathlib import Path

from crawler.cli.settings import shown
from crawler.settings import NAMES, Settings, describe

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"
_BEGIN = "<!-- table: python -m tests.settings_table -->\n"
_END = "<!-- end of table -->\n"


def page_with_table(text: str) -> str:
    """Return the page with its table as the code would have it."""
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}{_table()}{_END}{after}"


def _table() -> str:
    words, defaults = describe(), Settings()
    rows = ["| setting | default | what for |", "|---|---|---|"]
    for name in NAMES:
        default = shown(getattr(defaults, name))
        rows.append(f"| `{name}` | {f'`{default}`' if default else 'none given'} | {words[name]} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page_with_table(PAGE.read_text()))
