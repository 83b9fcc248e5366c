"""Names of tables and columns, of whatever items call them."""

import hashlib
import re
from collections.abc import Collection, Iterable

from msgspec import Struct

_MADE = re.compile(r"_[0-9a-f]{12}$")
_DIGEST_BYTES = 6
_LONGEST = 200


class NameRules(Struct, frozen=True):
    """What a database makes of names: how many bytes, whether it ignores case, what is its own.

    `taken` are names, in lower case, that no column of ours can have; `prefixes` begin those that
    no table can have.
    """

    longest: int = _LONGEST
    ignores_case: bool = True
    taken: Collection[str] = ()
    prefixes: tuple[str, ...] = ()


def column_for(key: str, there: Iterable[str], rules: NameRules) -> str:
    """Return the column of a key, in a table with the columns that are `there`.

    It is the key itself wherever that can be. Else it ends in a digest of the key, and so no two
    keys have one column: keys that end as if they had a digest get one as well.
    """
    if not _is_plain(key, rules) or key.lower() in rules.taken:
        return _made(key, rules)
    if rules.ignores_case:
        same = [name for name in there if name.casefold() == key.casefold()]
        if same and key not in same:
            return _made(key, rules)
    return key


def table_for(name: str, rules: NameRules) -> str:
    """Return the table that is meant by a name."""
    if _is_plain(name, rules) and not name.lower().startswith(rules.prefixes or "\0"):
        return name
    return _made(name, rules)


def quoted(name: str) -> str:
    """Return a name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def listed(names: Iterable[str]) -> str:
    """Return names as SQL lists them."""
    return ", ".join(map(quoted, names))


def _is_plain(name: str, rules: NameRules) -> bool:
    size = len(name.encode())
    return 0 < size <= rules.longest and "\0" not in name and not _MADE.search(name)


def _made(name: str, rules: NameRules) -> str:
    digest = hashlib.blake2b(name.encode(), digest_size=_DIGEST_BYTES).hexdigest()
    room = rules.longest - len(digest) - 1
    start = name.replace("\0", "\ufffd").encode()[:room].decode(errors="ignore")
    return f"{start or 'key'}_{digest}"
