"""A mail server on loopback that keeps what it is sent."""

from __future__ import annotations

import email
import email.policy
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller


class Mailbox:
    """What came, whoever it was for."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.changed = threading.Condition()

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:
        with self.changed:
            mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
            self.mails.append(mail)
            self.changed.notify_all()
        return "250 ok"

    @property
    def subjects(self) -> list[str]:
        with self.changed:
            return [str(mail["Subject"]) for mail in self.mails]

    def wait_for(self, count: int, seconds: float = 20) -> list[str]:
        """The subjects, once there are so many."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.mails) >= count, seconds), f"only {self.subjects} arrived"
        return self.subjects

    def texts(self, kind: str) -> list[str]:
        """What the mails say that have a text of that kind, `plain` or `html`; spaces are spaces."""
        parts = [mail.get_body((kind,)) for mail in self.mails]
        return [str(part.get_content()).replace("&nbsp;", " ") for part in parts if part is not None]


@contextmanager
def mail_server() -> Iterator[tuple[Mailbox, int]]:
    """A real one, on a free port."""
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield box, controller.port
    finally:
        controller.stop()


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
