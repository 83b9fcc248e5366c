"""The controls of a form.

Source: the HTML standard, 4.10.21.4 "Constructing the entry list".
"""

from typing import Final, Literal

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


def controls_of(form: LexborNode) -> list[Control]:
    """Return the controls of a `<form>` that may be sent, in document order, buttons included."""
    controls: list[Control] = []
    checked: dict[str, int] = {}  # where the group's radio button stands
    guarded = form.parser.css_first("fieldset[disabled], datalist") is not None
    for node in _owned(form):
        attributes = node.attributes
        if "disabled" in attributes or (guarded and _is_barred(node)):
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


def _is_barred(control: LexborNode) -> bool:
    """True inside a datalist or a disabled fieldset, but for that fieldset's first legend."""
    child, parent = control, control.parent
    while parent is not None:
        if parent.tag == "datalist":
            return True
        if parent.tag == "fieldset" and "disabled" in parent.attributes:
            legend = next((part for part in parent.iter() if part.tag == "legend"), None)
            if legend is None or legend.mem_id != child.mem_id:
                return True
        child, parent = parent, parent.parent
    return False


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
    options = select.css("option")
    selected = [option for option in options if "selected" in option.attributes]
    if "multiple" in attributes:
        chosen = selected
    elif selected:
        chosen = selected[-1:]
    elif (attributes.get("size") or "1") == "1":
        chosen = [option for option in options if not _is_off(option)][:1]
    else:
        chosen = []
    return Control(
        name=name,
        kind="select",
        values=tuple(_option_value(option) for option in chosen if not _is_off(option)),
        choices=tuple(_option_value(option) for option in options if not _is_off(option)),
        is_multiple="multiple" in attributes,
    )


def _is_off(option: LexborNode) -> bool:
    group = option.parent
    grouped = group is not None and group.tag == "optgroup" and "disabled" in group.attributes
    return grouped or "disabled" in option.attributes


def _option_value(option: LexborNode) -> str:
    attributes = option.attributes
    return (
        attributes["value"] or ""
        if "value" in attributes
        else " ".join(option.text_lexbor().split())
    )
