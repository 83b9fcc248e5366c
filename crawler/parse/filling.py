"""What the controls of a form may be filled in with."""

from collections.abc import Iterable, Sequence

from msgspec import structs

from crawler.parse.controls import Control, Upload


def filled(group: Sequence[Control], value: object) -> list[Control]:
    """Return controls of one name with their values. Raises `ValueError` for others than theirs."""
    kinds = {control.kind for control in group}
    if kinds <= {"checkbox"} or kinds <= {"radio"}:
        return _checked(group, value, only_one=kinds == {"radio"})
    if len(group) == 1:
        return [_set(group[0], value)]
    if not isinstance(value, list | tuple) or len(value) != len(group):
        raise ValueError(f"expected a list of {len(group)} values, one for each field")
    return [_set(control, one) for control, one in zip(group, value, strict=True)]


def _checked(group: Sequence[Control], value: object, *, only_one: bool) -> list[Control]:
    choices = [control.choices[0] for control in group]
    if value is None or value is False:
        wanted: list[str] = []
    elif value is True:
        if len(group) > 1:
            raise ValueError(f"expected {_listed(choices)}, as there are several")
        wanted = choices
    else:
        wanted = _texts(value)
    _require(wanted, choices)
    if only_one and len(wanted) > 1:
        raise ValueError(f"expected one of {_listed(choices)}")
    return [
        structs.replace(control, values=control.choices if control.choices[0] in wanted else ())
        for control in group
    ]


def _set(control: Control, value: object) -> Control:
    if control.kind == "file":
        return structs.replace(control, uploads=_uploads(value, several=control.is_multiple))
    if control.kind in ("checkbox", "radio"):
        return _checked([control], value, only_one=False)[0]
    texts = () if value is None else tuple(_texts(value))
    if control.kind == "select":
        _require(texts, control.choices)
    if len(texts) > 1 and not control.is_multiple:
        raise ValueError("expected one value")
    return structs.replace(control, values=texts)


def _require(wanted: Iterable[str], choices: Sequence[str]) -> None:
    if any(one not in choices for one in wanted):
        raise ValueError(f"expected {_listed(choices)}")


def _listed(choices: Sequence[str]) -> str:
    return " or ".join(map(repr, dict.fromkeys(choices))) or "nothing, for it has no options"


def _texts(value: object) -> list[str]:
    several = value if isinstance(value, list | tuple | set | frozenset) else [value]
    if any(isinstance(one, bool) or not isinstance(one, str | int | float) for one in several):
        raise ValueError("expected text or a number")
    return [str(one) for one in several]


def _uploads(value: object, *, several: bool) -> tuple[Upload, ...]:
    listed = value if isinstance(value, list) else [] if value is None else [value]
    uploads = tuple(_upload(one) for one in listed)
    if len(uploads) > 1 and not several:
        raise ValueError("expected one file")
    return uploads or (Upload(),)


def _upload(value: object) -> Upload:
    match value:
        case (str(name), bytes(content)):
            return Upload(name, content)
        case (str(name), bytes(content), str(kind)):
            return Upload(name, content, kind)
    raise ValueError("expected (name, bytes) or (name, bytes, type)")
