"""What a form would send."""

from typing import Final, Literal

import msgspec
from selectolax.lexbor import LexborNode

from crawler.urls import join, without_credentials

_CONTROLS: Final = "input, select, textarea"
_NOT_SENT: Final = frozenset(("submit", "button", "image", "reset", "file"))
_ENCTYPES: Final = ("multipart/form-data", "text/plain")
_TABLE_PARTS: Final = frozenset(("table", "tbody", "thead", "tfoot", "tr"))


class Form(msgspec.Struct, frozen=True):
    """What a form would send as it stands (HTML standard 4.10.21.4), without its buttons.

    `url` is the action, resolved; `pairs` are the successful controls in document order, a name
    once for each of its values. Send `fields | {"user": "me"}`, or `pairs` for repeated names: as
    `form=` of a POST, as `params=` of a GET.
    """

    url: str
    method: Literal["GET", "POST"]
    enctype: str
    pairs: tuple[tuple[str, str], ...]

    @property
    def fields(self) -> dict[str, str]:
        """The pairs as a dict; of a repeated name the last value."""
        return dict(self.pairs)


def form_of(form: LexborNode, *, url: str, base: str) -> Form:
    """Return what a `<form>` element of the page at `url` would send; `base` resolves its action.

    Raises `InvalidUrl` for an action that is not http(s).
    """
    attributes = form.attributes
    action = (attributes.get("action") or "").strip()
    target = without_credentials(join(base, action)) if action else url
    is_post = (attributes.get("method") or "").lower() == "post"
    enctype = (attributes.get("enctype") or "").lower()
    return Form(
        # "Mutate action URL": what a GET form sends replaces the query its action has.
        url=target if is_post else target.partition("?")[0],
        method="POST" if is_post else "GET",
        enctype=enctype if enctype in _ENCTYPES else "application/x-www-form-urlencoded",
        pairs=tuple(_pairs(form)),
    )


def _pairs(form: LexborNode) -> list[tuple[str, str]]:
    sent: list[list[tuple[str, str]]] = []
    checked: dict[str, list[tuple[str, str]]] = {}
    guarded = form.parser.css_first("fieldset[disabled], datalist") is not None
    for control in _controls(form):
        attributes = control.attributes
        name = attributes.get("name")
        if not name or "disabled" in attributes or (guarded and _is_barred(control)):
            continue
        pairs = [(name, value) for value in _values(control, attributes)]
        if pairs and (attributes.get("type") or "").lower() == "radio":
            # Of two buttons of a group that are marked as checked, the later one is.
            checked.get(name, []).clear()
            checked[name] = pairs
        sent.append(pairs)
    return [pair for pairs in sent for pair in pairs]


def _controls(form: LexborNode) -> list[LexborNode]:
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


def _values(control: LexborNode, attributes: dict[str, str | None]) -> list[str]:
    if control.tag == "select":
        return _chosen(control, attributes)
    if control.tag == "textarea":
        return [control.text_lexbor()]
    kind = (attributes.get("type") or "").lower()
    if kind in _NOT_SENT:
        return []
    if kind in ("checkbox", "radio"):
        if "checked" not in attributes:
            return []
        return [attributes["value"] or "" if "value" in attributes else "on"]
    return [attributes.get("value") or ""]


def _chosen(select: LexborNode, attributes: dict[str, str | None]) -> list[str]:
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
    return [_option_value(option) for option in chosen if not _is_off(option)]


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
