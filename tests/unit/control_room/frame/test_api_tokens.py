"""Tokens of the control API: what is in one, and every reason to refuse one."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta
from typing import Any

import jwt
import pytest

from pagemill.control_room.frame.roles import Access, Role
from pagemill.control_room.frame.tokens import TOKEN_MAX, issue, verify
from pagemill.errors import RoleUnknown, TokenExpired, TokenInvalid, TokenMissing, TokenRefused, UsageError
from tests.unit.control_room.api.asking import SECRET, START

NOW = START.replace(microsecond=0)


def claims(**other: Any) -> dict[str, Any]:
    """Those of a good token, changed; a claim that is `None` is left out."""
    good = {
        "iss": "pagemill",
        "aud": "pagemill",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 60,
        "jti": "0123",
        "sub": "kim",
        "role": "admin",
    }
    return {name: value for name, value in (good | other).items() if value is not None}


def signed(secret: str = SECRET, algorithm: str = "HS256", **other: Any) -> str:
    return jwt.encode(claims(**other), secret, algorithm=algorithm)


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("role", Role)
def test_what_was_issued_is_accepted(role: Role) -> None:
    """With its role, its subject, and the moment at which it ends."""
    access = verify(SECRET, issue(SECRET, role, 60, NOW, "kim"), NOW)
    assert access == Access(role, "kim", NOW + timedelta(seconds=60))
    assert access.may_change == (role is Role.ADMIN)


def test_a_token_says_who_made_it_for_whom_and_when() -> None:
    """And no two are the same."""
    first, second = (issue(SECRET, Role.PLANNER, 60, NOW, "kim") for _ in range(2))
    assert first != second
    said = jwt.decode(first, options={"verify_signature": False})
    assert said == claims(role="planner", jti=said["jti"])
    assert jwt.get_unverified_header(first) == {"alg": "HS256", "typ": "JWT"}


@pytest.mark.parametrize("after_s", [0, 59, 59.999])
def test_a_token_lasts_until_its_end(after_s: float) -> None:
    """To the last moment before it."""
    assert verify(SECRET, signed(), NOW + timedelta(seconds=after_s)).role is Role.ADMIN


@pytest.mark.parametrize("after_s", [60, 61, 10**8])
def test_a_token_is_over_at_its_end(after_s: float) -> None:
    """Without any leeway."""
    with pytest.raises(TokenExpired, match="pagemill token"):
        verify(SECRET, signed(), NOW + timedelta(seconds=after_s))


@pytest.mark.parametrize("token", [None, ""])
def test_no_token_is_a_cause_of_its_own(token: str | None) -> None:
    """The remedy names the header and the command."""
    with pytest.raises(TokenMissing, match="Authorization: Bearer"):
        verify(SECRET, token, NOW)


def refused_tokens() -> dict[str, str]:
    """Tokens that were not made with this secret, by what is wrong with them."""
    good = signed()
    head, body, signature = good.split(".")
    other_role = part(claims(role="admin", sub="eve"))
    return {
        "no token": "hello",
        "two parts": f"{head}.{body}",
        "four parts": f"{good}.x",
        "empty parts": "..",
        "not base64": f"{head}.%%%.{signature}",
        "not JSON": f"{head}.{base64.urlsafe_b64encode(b'hello').decode()}.{signature}",
        "not ASCII": "héllo.wörld.x",
        "half a surrogate": "\ud800.x.x",
        "too long": "x" * (TOKEN_MAX + 1),
        "deep header": f"{base64.urlsafe_b64encode(b'[' * 3000).decode().rstrip('=')}.{body}.{signature}",
        "other secret": signed(SECRET[::-1]),
        "no signature": f"{head}.{body}.",
        "cut signature": good[:-4],
        "other claims": f"{head}.{other_role}.{signature}",
        "none": f"{part({'alg': 'none', 'typ': 'JWT'})}.{body}.",
        "NonE with a signature": f"{part({'alg': 'NonE'})}.{body}.{signature}",
        "HS512": signed(algorithm="HS512"),
        "HS384": signed(algorithm="HS384"),
        "claims to be RS256": f"{part({'alg': 'RS256', 'typ': 'JWT'})}.{body}.{signature}",
        "no algorithm": f"{part({'typ': 'JWT'})}.{body}.{signature}",
        "other issuer": signed(iss="other"),
        "other audience": signed(aud="other"),
        "several audiences": signed(aud=["pagemill", "other"]),
        "no issuer": signed(iss=None),
        "no audience": signed(aud=None),
        "no end": signed(exp=None),
        "no beginning": signed(iat=None),
        "no id": signed(jti=None),
        "no subject": signed(sub=None),
        "no role": signed(role=None),
        "end is text": signed(exp="tomorrow"),
        "end is true": signed(exp=True),
        "end is a fraction": signed(exp=NOW.timestamp() + 0.5),
        "end is beyond all time": signed(exp=10**18),
        "subject is a number": jwt.encode(claims(sub="1") | {"sub": 7}, SECRET, algorithm="HS256"),
    }


@pytest.mark.parametrize("fault", refused_tokens())
def test_what_was_not_made_with_the_secret_is_refused(fault: str) -> None:
    """As one cause; the message repeats neither token nor secret."""
    token = refused_tokens()[fault]
    with pytest.raises(TokenInvalid) as refused:
        verify(SECRET, token, NOW)
    assert refused.value.__cause__ is None
    assert token not in str(refused.value)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("role", ["root", "ADMIN", "", 7, ["admin"], {"admin": True}])
def test_a_role_that_does_not_exist_is_refused(role: object) -> None:
    """Although the token is signed by us."""
    with pytest.raises(RoleUnknown, match="planner, admin"):
        verify(SECRET, signed(role=role), NOW)


def test_every_refusal_is_one_kind_of_error_with_a_word_of_its_own() -> None:
    """So that callers catch one, and programs tell them apart."""
    kinds = (TokenMissing, TokenInvalid, TokenExpired, RoleUnknown)
    assert all(issubclass(kind, TokenRefused) for kind in kinds)
    assert len({kind.code for kind in kinds}) == len(kinds)


@pytest.mark.parametrize("expires_s", [0, 0.5, -1])
def test_a_token_that_is_over_at_once_is_not_issued(expires_s: float) -> None:
    """It would look like a good one."""
    with pytest.raises(UsageError, match="longer"):
        issue(SECRET, Role.ADMIN, expires_s, NOW, "kim")


def test_a_public_key_is_no_secret() -> None:
    """Whoever knows the key could sign."""
    with pytest.raises(UsageError, match="public key") as refused:
        issue("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJkqcGF0dGVybg pagemill", Role.ADMIN, 60, NOW, "kim")
    assert "AAAA" not in str(refused.value)


def test_a_time_zone_does_not_matter() -> None:
    """A moment is a moment."""
    seoul = datetime.fromisoformat("2024-01-20T19:30:59+09:00")
    assert verify(SECRET, signed(), seoul).expires_at == NOW + timedelta(seconds=60)
