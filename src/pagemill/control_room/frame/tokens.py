"""Makes and checks the tokens of the control API: JWTs signed with HS256, no other algorithm.

Knows no requests and no configuration. No error contains a token or the secret.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from pagemill.control_room.frame.roles import Access, Role
from pagemill.errors import RoleUnknown, TokenExpired, TokenInvalid, TokenMissing, UsageError

_ALGORITHM = "HS256"
_PARTY = "pagemill"
_CLAIMS = ("iss", "aud", "iat", "exp", "jti", "sub", "role")

TOKEN_MAX = 4096
"""Characters. Longer tokens are refused unread; ours have about 300."""

_RENEW = "make a new one with `pagemill token`"


def issue(secret: str, role: Role, expires_s: float, now: datetime, subject: str) -> str:
    """A token for that role, valid from `now` on.

    Raises:
        UsageError: `expires_s` is under a second, or the secret cannot sign.
    """
    if expires_s < 1:
        raise UsageError("a token must last for a second or more: give it a longer time")
    claims: dict[str, Any] = {
        "iss": _PARTY,
        "aud": _PARTY,
        "iat": now,
        "exp": now + timedelta(seconds=expires_s),
        "jti": secrets.token_hex(16),
        "sub": subject,
        "role": role.value,
    }
    try:
        return jwt.encode(claims, secret, algorithm=_ALGORITHM)
    except jwt.InvalidKeyError:
        # `from None`, because the original error has seen the key and might print it.
        raise UsageError("the secret is the text of a public key, which everybody may know: choose another") from None


def verify(secret: str, token: str | None, now: datetime) -> Access:
    """The access that a token proves. There is no leeway: at the second of its end it is expired.

    Raises:
        TokenMissing: there is no token.
        TokenInvalid: it is malformed, not signed with this secret by HS256, lacks a claim, or is not from and for us.
        TokenExpired: its time is over.
        RoleUnknown: its role is neither `planner` nor `admin`.
    """
    if not token:
        raise TokenMissing
    if len(token) > TOKEN_MAX or not token.isascii():
        raise TokenInvalid(f"this is no token: {_RENEW}")
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=[_ALGORITHM],
            audience=_PARTY,
            issuer=_PARTY,
            # The times are compared here with the clock that is passed in.
            options={"require": list(_CLAIMS), "strict_aud": True, "verify_exp": False, "verify_iat": False},
        )
    except jwt.PyJWTError:
        # `from None`, because the library's errors quote parts of the token.
        raise TokenInvalid(f"the token is not one that was made with this secret: {_RENEW}") from None
    expires_at, made_at = _moment(claims["exp"]), _moment(claims["iat"])
    if now >= expires_at:
        raise TokenExpired
    try:
        role = Role(claims["role"])
    except ValueError:
        raise RoleUnknown from None
    return Access(role, claims["sub"], expires_at, claims["jti"], made_at)


def _moment(claim: object) -> datetime:
    if isinstance(claim, int) and not isinstance(claim, bool):
        try:
            return datetime.fromtimestamp(claim, UTC)
        except (ValueError, OverflowError, OSError):
            pass
    raise TokenInvalid(f"the token's beginning or end is no moment: {_RENEW}")
