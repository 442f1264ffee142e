"""Answers requests for a user and a password: from the proxy, and from the platform's own hosts.

If `Fetch` handles sign-in, Chromium asks for every request of a page, whatever the patterns. Once a proxy has accepted
a password, Chromium sends it along without asking, so a context costs one question. No password is on a command line.
"""

from __future__ import annotations

from typing import Any

from pagemill.config.hosts import HostRules
from pagemill.config.visitor.secrets import Credentials


class SignIn:
    """What one page may answer. `proxy_refused` says whether the proxy has refused the password since `reset`."""

    def __init__(self, rules: HostRules, shop: Credentials | None = None, proxy: Credentials | None = None) -> None:
        """
        Args:
            rules: the hosts that may hear the shop's credentials.
            shop: the credentials for servers.
            proxy: the credentials for the context's proxy.
        """
        self._rules = rules
        self._shop = shop
        self._proxy = proxy
        self._answered: set[tuple[str, str]] = set()
        self.proxy_refused = False

    @property
    def is_wanted(self) -> bool:
        """Whether there are any credentials to give."""
        return self._shop is not None or self._proxy is not None

    def reset(self) -> None:
        """Forgets which questions were asked."""
        self._answered.clear()
        self.proxy_refused = False

    def answer(self, event: dict[str, Any], *, is_navigation: bool) -> dict[str, str]:
        """The `authChallengeResponse` for an event `Fetch.authRequired`. Each question is answered only once.

        Args:
            event: as Chromium sends it.
            is_navigation: whether it is for the page itself. A proxy that only refuses scripts of others still serves.
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
