"""Answers a page's requests that ask for a user and a password: the proxy's, and those of the platform's own hosts.

Chromium asks for every request of a page whose `Fetch` handles sign-in, whatever its patterns, and once a proxy has
taken a password it is sent along unasked: a context costs one question. Nothing of this stands on a command line.
"""

from __future__ import annotations

from typing import Any

from pagemill.config.hosts import HostRules
from pagemill.config.visitor.secrets import Credentials


class SignIn:
    """What one page may answer. `proxy_refused` says whether the proxy has refused it since `reset`."""

    def __init__(self, rules: HostRules, shop: Credentials | None = None, proxy: Credentials | None = None) -> None:
        """
        Args:
            rules: the hosts that may hear the shop's credentials.
            shop: for servers.
            proxy: for the context's proxy.
        """
        self._rules = rules
        self._shop = shop
        self._proxy = proxy
        self._answered: set[tuple[str, str]] = set()
        self.proxy_refused = False

    @property
    def is_wanted(self) -> bool:
        """Whether there is anything to answer."""
        return self._shop is not None or self._proxy is not None

    def reset(self) -> None:
        """Forgets what was asked."""
        self._answered.clear()
        self.proxy_refused = False

    def answer(self, event: dict[str, Any], *, is_navigation: bool) -> dict[str, str]:
        """The `authChallengeResponse` to an event `Fetch.authRequired`: each question is answered once.

        Args:
            event: as Chromium sends it.
            is_navigation: whether the page itself is asked for. A proxy that keeps others' scripts back still serves.
        """
        challenge = event["authChallenge"]
        is_proxy = challenge.get("source") == "Proxy"
        question = (event["requestId"], "proxy" if is_proxy else challenge.get("origin", ""))
        credentials = self._proxy if is_proxy else self._of_shop(str(challenge.get("origin", "")))
        if credentials is None or question in self._answered:
            self.proxy_refused = self.proxy_refused or (is_proxy and is_navigation)
            return {"response": "CancelAuth"}
        self._answered.add(question)
        return {"response": "ProvideCredentials", "username": credentials.user, "password": credentials.password}

    def _of_shop(self, origin: str) -> Credentials | None:
        return None if self._rules.refusal(f"{origin}/") is not None else self._shop
