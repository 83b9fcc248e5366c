"""A form: what it would send, filled in and submitted."""

from collections.abc import Mapping
from typing import Any, Final, Literal, NoReturn

import msgspec
from msgspec import structs
from selectolax.lexbor import LexborNode

from crawler.errors import CallbackError
from crawler.parse.controls import BUTTONS, Control, controls_of
from crawler.parse.filling import filled
from crawler.parse.form_data import (
    ENCTYPES,
    URLENCODED,
    Enctype,
    Entry,
    body_of,
    encoding_for,
    urlencoded,
)
from crawler.request import Callback, Request
from crawler.setting_values import unknown
from crawler.urls import join, without_credentials

Method = Literal["GET", "POST", "DIALOG"]

_METHODS: Final[dict[str, Method]] = {"post": "POST", "dialog": "DIALOG"}


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """A form of a page, as it stands or as it is filled in.

    `action` is where it is sent, `page` the URL it is on, `base` what a button's own action is
    resolved against, `encoding` the one it is sent in.
    """

    action: str
    method: Method
    enctype: Enctype
    controls: tuple[Control, ...] = ()
    encoding: str = "utf-8"
    page: str = ""
    base: str = ""

    @property
    def url(self) -> str:
        """Where it is sent; what a GET form sends replaces the query its action has."""
        return self.action.partition("?")[0] if self.method == "GET" else self.action

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Names and values as they stand, in order; without buttons and files."""
        return tuple((control.name, value) for control in self._fields for value in control.values)

    @property
    def fields(self) -> dict[str, str]:
        """The pairs as a dict; of a repeated name the last value."""
        return dict(self.pairs)

    @property
    def _fields(self) -> list[Control]:
        return [control for control in self.controls if control.kind not in BUTTONS]

    def fill(self, values: Mapping[str, object] | None = None, /, **named: object) -> "Form":
        """Return the form filled in; a mapping is for names that are no keywords.

        Text and numbers for texts; one of its options, or a list of them, for a select; True,
        False, or values for check boxes; a value for radio buttons; `(name, bytes)` or `(name,
        bytes, type)` for a file; a list for several fields of one name; None sends nothing. Raises
        `CallbackError` for what the form does not have.
        """
        controls = list(self.controls)
        for name, value in {**(values or {}), **named}.items():
            places = [
                place
                for place, control in enumerate(controls)
                if control.name == name and control.kind not in BUTTONS
            ]
            if not places:
                self._refuse_name(name)
            group = [controls[place] for place in places]
            try:
                changed = filled(group, value)
            except ValueError as error:
                raise CallbackError(
                    f"field {name!r} of the form on {self.page}: {error}, got {value!r:.100}"
                ) from None
            for place, control in zip(places, changed, strict=True):
                controls[place] = control
        return structs.replace(self, controls=tuple(controls))

    def submit(
        self,
        button: str | tuple[str, str] | None = None,
        *,
        callback: Callback = "parse",
        **fields: Any,
    ) -> Request:
        """Return the request that sends the form, as pressing a button does.

        `button` is its name, its value, or both; without it the first is pressed, `""` presses
        none. `fields` are those of `Request`. Raises `CallbackError` without such a button and for
        a dialog, which is sent nowhere, `InvalidUrl` for an action that is not http(s).
        """
        pressed = self._pressed(button)
        method, enctype, action = self.method, self.enctype, self.action
        if pressed is not None and pressed.method is not None:
            method = _method(pressed.method)
        if pressed is not None and pressed.enctype is not None:
            enctype = _enctype(pressed.enctype)
        if pressed is not None and pressed.action is not None:
            action = _resolved(pressed.action, page=self.page, base=self.base)
        if method == "DIALOG":
            raise CallbackError(f"the form on {self.page} is a dialog's, which is sent nowhere")
        entries = self._entries(pressed)
        if method == "GET":
            url = f"{action.partition('?')[0]}?{urlencoded(entries, self.encoding)}"
            return Request(url, callback=callback, **fields)
        body, content_type = body_of(entries, enctype, self.encoding)
        headers = fields.pop("headers", ())
        given = tuple(headers.items() if isinstance(headers, Mapping) else headers)
        return Request(
            action,
            method="POST",
            body=body,
            headers=(("Content-Type", content_type), *given),
            callback=callback,
            **fields,
        )

    def _entries(self, pressed: Control | None) -> list[Entry]:
        entries: list[Entry] = []
        for control in self.controls:
            if control.kind == "image" and control is pressed:
                prefix = f"{control.name}." if control.name else ""
                entries += [(f"{prefix}x", "0"), (f"{prefix}y", "0")]
            elif control.kind in BUTTONS and (control is not pressed or not control.name):
                continue
            elif control.kind == "hidden" and control.name.lower() == "_charset_":
                entries.append((control.name, self.encoding.replace("utf", "UTF")))
            else:
                entries += [(control.name, value) for value in control.values]
                entries += [(control.name, upload) for upload in control.uploads]
        return entries

    def _pressed(self, button: str | tuple[str, str] | None) -> Control | None:
        buttons = [control for control in self.controls if control.kind in BUTTONS]
        if button == "" or (button is None and not buttons):
            return None
        if button is None:
            return buttons[0]
        for names in (_by_name, _by_value, _by_both):
            if found := [one for one in buttons if names(one) == button]:
                return found[0]
        known = ", ".join(map(repr, map(_by_both, buttons))) or "none"
        raise CallbackError(f"no button {button!r} in the form on {self.page}; it has {known}")

    def _refuse_name(self, name: str) -> NoReturn:
        if any(control.name == name for control in self.controls):
            raise CallbackError(f"{name!r} is a button; submit(button={name!r}) presses it")
        known = dict.fromkeys(control.name for control in self._fields)
        listed = ", ".join(map(repr, known)) or "none"
        hint = unknown("field", name, known)
        raise CallbackError(f"{hint} (the form on {self.page} has {listed})")


def form_of(form: LexborNode, *, url: str, base: str, encoding: str) -> Form:
    """Return a `<form>` element of the page at `url`; `base` resolves its action.

    Raises `InvalidUrl` for an action that is not http(s), `CallbackError` for more than 10,000
    controls.
    """
    attributes = form.attributes
    try:
        controls = tuple(controls_of(form))
    except ValueError as error:
        raise CallbackError(f"the form on {url} has {error}") from None
    return Form(
        action=_resolved(attributes.get("action") or "", page=url, base=base),
        method=_method(attributes.get("method") or ""),
        enctype=_enctype(attributes.get("enctype") or ""),
        controls=controls,
        encoding=encoding_for(attributes.get("accept-charset"), encoding),
        page=url,
        base=base,
    )


def _resolved(action: str, *, page: str, base: str) -> str:
    return without_credentials(join(base, action)) if action.strip() else page


def _method(text: str) -> Method:
    return _METHODS.get(text.lower(), "GET")


def _enctype(text: str) -> Enctype:
    return ENCTYPES.get(text.lower(), URLENCODED)


def _by_name(button: Control) -> str:
    return button.name


def _by_value(button: Control) -> str:
    return button.values[0]


def _by_both(button: Control) -> tuple[str, str]:
    return button.name, button.values[0]
