"""Who may use what listens on a port."""

from __future__ import annotations

import hmac
from typing import Final

from vshell.errors import RangeError

LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
"""Addresses that only this machine reaches."""


def check_exposure(host: str, token: str | None) -> None:
    """Make sure that what listens beyond loopback wants a token.

    Raises:
        RangeError: It does not, or the token is empty.
    """
    if token == "":
        raise RangeError("the token is empty", hint="give one of at least 16 characters")
    if token is None and host not in LOOPBACK:
        raise RangeError(
            f"{host} can be reached from other machines: that needs a token",
            hint="give a token, or listen on 127.0.0.1",
        )


def is_authorized(given: bytes, token: str) -> bool:
    """Whether an Authorization header has the token; it takes equally long either way."""
    return hmac.compare_digest(given, f"Bearer {token}".encode())
