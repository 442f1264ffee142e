"""The shop's front: its design and its build. Both can change while the shop runs.

Owns the translation between designs. The shop's own code always uses the first design. Answers are translated into the
present design on their way out, requests back on their way in. So a redesign cannot change a fact. The words of the
other designs are in `redesign` and `shops.redesigns`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace

from pagemill.demo.redesign import PRACTICE_REDESIGN, Redesign
from pagemill.demo.replies import JSON, Reply
from pagemill.demo.shops.redesigns import REDESIGNS

PRACTICE = "practice"
"""The form of the practice shop's three platforms. The forms of the six shops have the shops' names."""

_CLASSES = re.compile(r"""class=(['"])(.*?)\1""")
_HASHED = re.compile(r"(.*_)[0-9a-f]{6}")
_SELECTED = re.compile(r"""(?:put|querySelector(?:All)?)\("[^"]*"\)?""")
_SELECTED_CLASS = re.compile(r"\.([a-z][\w-]*)")
_STYLED_CLASS = re.compile(r"\.([a-z][\w-]*)(?=[>{])")
_STATIC = re.compile(r'(?<=")/static/[\w.-]+(?=")')


@dataclass(frozen=True, slots=True)
class Front:
    """What a visitor meets. Build 0 has the class names of the source; every other build has hashes of its own."""

    redesigned: bool = False
    build: int = 0


FIRST_FRONT = Front()


class FrontDoor:
    """Translates requests and answers. `front` may be set at any time, and holds from the next request on."""

    def __init__(self, front: Front) -> None:
        self.front = front

    def asked_path(self, form: str, path: str) -> str:
        """The path that a visitor asks for, in the first design."""
        return _redesign_of(form).path_before(path) if self.front.redesigned else path

    def asked_body(self, form: str, body: bytes) -> bytes:
        """The body that a visitor sends, in the first design."""
        if not body or not self.front.redesigned:
            return body
        return _redesign_of(form).names_before(body.decode("utf-8", "replace")).encode()

    def shown(self, form: str, reply: Reply) -> Reply:
        """An answer of the first design and build, in the present ones."""
        if self.front == FIRST_FRONT:
            return reply
        headers = tuple(
            (name, self._moved(form, value) if name == b"location" else value) for name, value in reply.headers
        )
        kind, body = reply.content_type, reply.body
        if kind == JSON:
            body = self._data(form, body)
        elif kind.startswith(b"text/css"):
            body = self._stylesheet(body)
        elif kind.startswith((b"text/html", b"text/javascript")):
            body = self.document(form, body)
        return replace(reply, body=body, headers=headers)

    def document(self, form: str, body: bytes) -> bytes:
        """A document or script of the first design and build, in the present ones."""
        if self.front == FIRST_FRONT:
            return body
        text = body.decode()
        if self.front.redesigned:
            text = _redesign_of(form).document(text)
        if self.front.build:
            text = self._built(form, text)
        return _STATIC.sub(rf"\g<0>?front={self._mark}", text).encode()

    def _stylesheet(self, body: bytes) -> bytes:
        if not self.front.build:
            return body
        return _STYLED_CLASS.sub(lambda found: f".{self._hash(found[1])}", body.decode()).encode()

    def _data(self, form: str, body: bytes) -> bytes:
        text = body.decode()
        if self.front.redesigned:
            text = _redesign_of(form).data(text)
        return (self._built(form, text) if self.front.build else text).encode()

    def _moved(self, form: str, location: bytes) -> bytes:
        return _redesign_of(form).path(location.decode()).encode() if self.front.redesigned else location

    def _built(self, form: str, text: str) -> str:
        """The text with the class names of this build. In the six shops, only class names that are hashes change."""
        of_practice = form == PRACTICE

        def renamed(found: re.Match[str]) -> str:
            names = (self._hash(name) if of_practice else self._rehashed(name) for name in found[2].split())
            return f"class={found[1]}{' '.join(names)}{found[1]}"

        text = _CLASSES.sub(renamed, text)
        if of_practice:
            text = _SELECTED.sub(
                lambda call: _SELECTED_CLASS.sub(lambda found: f".{self._hash(found[1])}", call[0]), text
            )
        return text

    def _hash(self, name: str) -> str:
        """A hash that never starts with a digit after the dash."""
        digest = hashlib.blake2b(f"{name} {self.front.build}".encode(), digest_size=4).hexdigest()
        return f"css-x{digest[:6]}"

    def _rehashed(self, name: str) -> str:
        found = _HASHED.fullmatch(name)
        if found is None:
            return name
        digest = hashlib.blake2b(f"{name} {self.front.build}".encode(), digest_size=3).hexdigest()
        return found[1] + digest

    @property
    def _mark(self) -> str:
        """A mark that tells apart the scripts and styles of different fronts, because visitors cache them."""
        return f"{int(self.front.redesigned)}-{self.front.build}"


def _redesign_of(form: str) -> Redesign:
    return PRACTICE_REDESIGN if form == PRACTICE else REDESIGNS[form]
