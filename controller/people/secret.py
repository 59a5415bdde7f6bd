"""Random secrets, of which only a hash is kept. They are random enough that a plain SHA-256 cannot be searched."""

import hashlib
import hmac
import secrets

READABLE = "23456789abcdefghjkmnpqrstuvwxyz"  # no 0, o, 1, i, l: it is read from a screen, and aloud


def new_secret() -> str:
    """256 random bits, URL-safe, 43 characters."""
    return secrets.token_urlsafe(32)


def new_password() -> str:
    """A password for a person who will choose another: 16 letters and digits (79 bits), none like another."""
    return "-".join("".join(secrets.choice(READABLE) for _ in range(4)) for _ in range(4))


def hash_of(secret: str) -> str:
    """What is stored instead of `secret`; 64 hex digits."""
    return hashlib.sha256(_bytes(secret)).hexdigest()


def csrf_of(secret: str) -> str:
    """The CSRF token that goes with a login's secret: derived, so that nothing more has to be stored."""
    return hmac.new(_bytes(secret), b"csrf", hashlib.sha256).hexdigest()[:43]


def equal(one: str, other: str) -> bool:
    """Compared in a time that does not tell where they differ."""
    return hmac.compare_digest(_bytes(one), _bytes(other))


def _bytes(text: str) -> bytes:
    """A header may have bytes that are no text; they are wrong as any others."""
    return text.encode(errors="surrogateescape")
