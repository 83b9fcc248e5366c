"""The controls of a form.

Source: the HTML standard, 4.10.21.4 "Constructing the entry list".
"""

from collections.abc import Callable, Iterator
from typing import Final, Literal, NamedTuple

from msgspec import Struct
from selectolax.lexbor import LexborNode

Kind = Literal["text", "hidden", "checkbox", "radio", "select", "file", "submit", "image"]
BUTTONS: Final = ("submit", "image")

_CONTROLS: Final = "input, select, textarea, button"
_NEVER_SENT: Final = frozenset(("reset", "button"))
_INPUTS: Final[dict[str, Kind]] = {
    "hidden": "hidden",
    "checkbox": "checkbox",
    "radio": "radio",
    "file": "file",
    "submit": "submit",
    "image": "image",
}
_MOST_CONTROLS: Final = 10_000
# What stands in foreign content (`<svg><select><select>`) may nest as it may nowhere else.
_WITHOUT_CONTROLS: Final = frozenset(("datalist", "select", "textarea"))
_TABLE_PARTS: Final = frozenset(("table", "tbody", "thead", "tfoot", "tr"))

Attributes = dict[str, str | None]


class Upload(Struct, frozen=True):
    """A file to be sent: its name, content and MIME type. Without a name it is no file."""

    name: str = ""
    content: bytes = b""
    type: str = "application/octet-stream"


class Control(Struct, frozen=True, kw_only=True):
    """One control: what it sends as it stands, and what it may.

    `values` are what it sends: none, one, or several of a select. `choices` are all that a select,
    check box or radio button may send. `action`, `method` and `enctype` are a button's own.
    """

    name: str
    kind: Kind
    values: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    is_multiple: bool = False
    uploads: tuple[Upload, ...] = ()
    action: str | None = None
    method: str | None = None
    enctype: str | None = None


class _Option(NamedTuple):
    value: str
    is_selected: bool
    is_off: bool


def controls_of(form: LexborNode) -> list[Control]:
    """Return the controls of a `<form>` that may be sent, in document order, buttons included.

    Raises `ValueError` for a form of more than 10,000.
    """
    controls: list[Control] = []
    checked: dict[str, int] = {}  # where the group's radio button stands
    if len(nodes := _owned(form)) > _MOST_CONTROLS:
        raise ValueError(f"more than {_MOST_CONTROLS:,} controls")
    barred = _Barred(form)
    for node in nodes:
        attributes = node.attributes
        if "disabled" in attributes or barred.holds(node):
            continue
        if (control := _control(node, attributes)) is None:
            continue
        if control.kind == "radio" and control.values:
            # Of two buttons of a group that are marked as checked, the later one is.
            if (before := checked.get(control.name)) is not None:
                controls[before] = _unchecked(controls[before])
            checked[control.name] = len(controls)
        controls.append(control)
    return controls


def _unchecked(control: Control) -> Control:
    return Control(name=control.name, kind=control.kind, choices=control.choices)


def _owned(form: LexborNode) -> list[LexborNode]:
    """The form's controls, those that name it by `form=ID` included, in document order."""
    parent = form.parent
    # The parser empties a form that stands between the rows of a table; browsers remember its
    # controls, a tree does not: those of the same table or row are taken.
    lost = form.first_child is None and parent is not None and parent.tag in _TABLE_PARTS
    inside = (parent if lost and parent is not None else form).css(_CONTROLS)
    if form.parser.css_first("[form]") is None:
        return inside
    members = {control.mem_id for control in inside}
    name = form.attributes.get("id")
    controls = []
    for control in form.parser.css(_CONTROLS):
        attributes = control.attributes
        owned = bool(name) and attributes["form"] == name if "form" in attributes else None
        if owned or (owned is None and control.mem_id in members):
            controls.append(control)
    return controls


class _Barred:
    """Knows what is barred by what it stands in; looks at each element once, however deep."""

    def __init__(self, form: LexborNode) -> None:
        # In a disabled fieldset only the first legend is not.
        self._legends = {
            fieldset.mem_id: next((p.mem_id for p in fieldset.iter() if p.tag == "legend"), None)
            for fieldset in form.parser.css("fieldset[disabled]")
        }
        self._known: dict[int, bool] = {}

    def holds(self, control: LexborNode) -> bool:
        return _is_within(control, self._known, self._bars)

    def _bars(self, parent: LexborNode, child: LexborNode) -> bool:
        if parent.tag in _WITHOUT_CONTROLS:
            return True
        legend = self._legends.get(parent.mem_id, child.mem_id)
        return legend != child.mem_id


def _is_within(
    node: LexborNode, known: dict[int, bool], bars: Callable[[LexborNode, LexborNode], bool]
) -> bool:
    """True if `bars(parent, child)` anywhere above `node`; `known` has what was found before."""
    passed = []
    child, is_within = node, False
    while (parent := child.parent) is not None:
        if (found := known.get(child.mem_id)) is not None:
            is_within = found
            break
        passed.append((parent, child))
        child = parent
    for parent, child in reversed(passed):
        known[child.mem_id] = is_within = is_within or bars(parent, child)
    return is_within


def _control(node: LexborNode, attributes: Attributes) -> Control | None:
    name = attributes.get("name") or ""
    kind = (attributes.get("type") or "").lower()
    if node.tag == "button" or (node.tag == "input" and kind in BUTTONS):
        return None if kind in _NEVER_SENT else _button(name, kind, attributes)
    if not name or (node.tag == "input" and kind in _NEVER_SENT):
        return None  # only a button does something without a name
    if node.tag == "select":
        return _select(name, node, attributes)
    if node.tag == "textarea":
        return Control(name=name, kind="text", values=(node.text_lexbor(),))
    return _input(name, _INPUTS.get(kind, "text"), attributes)


def _button(name: str, kind: str, attributes: Attributes) -> Control:
    return Control(
        name=name,
        kind="image" if kind == "image" else "submit",
        values=(attributes.get("value") or "",),
        action=_own(attributes, "formaction"),
        method=_own(attributes, "formmethod"),
        enctype=_own(attributes, "formenctype"),
    )


def _own(attributes: Attributes, name: str) -> str | None:
    return attributes[name] or "" if name in attributes else None


def _input(name: str, kind: Kind, attributes: Attributes) -> Control:
    if kind == "file":
        several = "multiple" in attributes
        return Control(name=name, kind=kind, is_multiple=several, uploads=(Upload(),))
    if kind not in ("checkbox", "radio"):
        return Control(name=name, kind=kind, values=(attributes.get("value") or "",))
    value = attributes["value"] or "" if "value" in attributes else "on"
    values = (value,) if "checked" in attributes else ()
    return Control(name=name, kind=kind, values=values, choices=(value,))


def _select(name: str, select: LexborNode, attributes: Attributes) -> Control:
    options = list(_options(select))
    selected = [option for option in options if option.is_selected]
    if "multiple" in attributes:
        chosen = selected
    elif selected:
        chosen = selected[-1:]
    elif (attributes.get("size") or "1") == "1":
        chosen = [option for option in options if not option.is_off][:1]
    else:
        chosen = []
    return Control(
        name=name,
        kind="select",
        values=tuple(option.value for option in chosen if not option.is_off),
        choices=tuple(option.value for option in options if not option.is_off),
        is_multiple="multiple" in attributes,
    )


def _options(select: LexborNode) -> Iterator[_Option]:
    """Yield its options, but for those in another: the text of each is read once."""
    known = {select.mem_id: False}
    groups: dict[int, bool] = {}  # is it off? Its attributes may be thousands
    for option in select.css("option"):
        if _is_within(option, known, _is_option):
            continue
        attributes, group = option.attributes, option.parent
        if group is not None and group.mem_id not in groups:
            groups[group.mem_id] = group.tag == "optgroup" and "disabled" in group.attributes
        yield _Option(
            attributes["value"] or ""
            if "value" in attributes
            else " ".join(option.text_lexbor().split()),
            "selected" in attributes,
            "disabled" in attributes or (group is not None and groups[group.mem_id]),
        )


def _is_option(parent: LexborNode, _: LexborNode) -> bool:
    return parent.tag == "option"
