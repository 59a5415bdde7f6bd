"""Who may connect to the embedded broker, and which topics each may use. No I/O.

Written in Mosquitto's two file formats (mosquitto.conf(5): password_file, acl_file), which our amqtt broker reads too.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

CONTROLLER = "controller"
PROBE = "probe"
"""May connect and nothing else; its password is new in each version of the files: it shows which of them were read."""

_SCHOOL = re.compile(r"[a-z0-9-]{2,40}")
_HASH = re.compile(r"\$7\$\d{1,7}\$[A-Za-z0-9+/]+=*\$[A-Za-z0-9+/]+=*")
_SALT_BYTES = 12
# Mosquitto's own number. Passwords here are long and random, made by us and never chosen by a person, so many rounds
# would protect nothing; and at a reload Mosquitto hashes again for every connected client, on its only thread.
_ROUNDS = 101


def username_of(school: str) -> str:
    """The broker's name for a school's devices and gateways."""
    return f"school-{school}"


def hash_password(plain: str) -> str:
    """Mosquitto's form, `$7$rounds$salt$hash` (PBKDF2-SHA512). For random passwords only: the rounds are few."""
    salt = secrets.token_bytes(_SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", plain.encode(), salt, _ROUNDS)
    return f"$7${_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def is_hash(text: str) -> bool:
    """Whether `hash_password` may have made it."""
    return _HASH.fullmatch(text) is not None


def verify_password(plain: str, hashed: str) -> bool:
    try:
        _, kind, rounds, salt, digest = hashed.split("$")
        made = hashlib.pbkdf2_hmac("sha512", plain.encode(), base64.b64decode(salt), int(rounds))
        return kind == "7" and hmac.compare_digest(made, base64.b64decode(digest))
    except (ValueError, binascii.Error):
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    password_hash: str = field(repr=False)
    filters: tuple[str, ...]  # may publish and subscribe to these


@dataclass(frozen=True, slots=True)
class Access:
    users: Mapping[str, User]

    @classmethod
    def of(
        cls, schools: Mapping[str, str], *, controller_hash: str, probe_hash: str, home_assistant_prefix: str
    ) -> Self:
        """Access for the controller and these schools (id -> password hash). Raises `ValueError` for bad ids or hashes.

        A discovery prefix without `{school}` belongs to a single school; with more of them nobody gets it, because each
        could announce devices in another's name.
        """
        users = {
            CONTROLLER: User(password_hash=controller_hash, filters=("#",)),
            PROBE: User(password_hash=probe_hash, filters=()),
        }
        for school, password_hash in sorted(schools.items()):
            if not _SCHOOL.fullmatch(school):
                raise ValueError(f"{school!r} is not a school's id")
            if not is_hash(password_hash):
                raise ValueError(f"the password of school {school} is not hashed by `hash_password`")
            filters = [f"sc/1/{school}/#"]
            if "{school}" in home_assistant_prefix or len(schools) == 1:
                filters.append(f"{home_assistant_prefix.replace('{school}', school)}/#")
            users[username_of(school)] = User(
                password_hash=password_hash, filters=tuple(each for each in filters if not _is_inside(each, filters))
            )
        return cls(users)

    @classmethod
    def parse(cls, passwords: str, acl: str) -> Self:
        """What `passwords` and `acl` below wrote. Raises `ValueError` for anything else."""
        filters: dict[str, list[str]] = {}
        current: list[str] = []
        for line in acl.splitlines():
            if line.startswith("user "):
                current = filters.setdefault(line.removeprefix("user "), [])
            elif line.startswith("topic readwrite "):
                current.append(line.removeprefix("topic readwrite "))
            elif line and not line.startswith("#"):
                raise ValueError(f"unknown line in the access file: {line!r}")
        users: dict[str, User] = {}
        for line in passwords.splitlines():
            name, separator, password_hash = line.partition(":")
            if not separator:
                raise ValueError("a line of the password file is not NAME:HASH")
            users[name] = User(password_hash=password_hash, filters=tuple(filters.get(name, ())))
        return cls(users)

    @property
    def passwords(self) -> str:
        """Mosquitto's password_file."""
        return "".join(f"{name}:{user.password_hash}\n" for name, user in self.users.items())

    @property
    def acl(self) -> str:
        """Mosquitto's acl_file."""
        lines: list[str] = []
        for name, user in self.users.items():
            lines += [f"user {name}", *(f"topic readwrite {each}" for each in user.filters), ""]
        return "\n".join(lines)

    @property
    def schools(self) -> dict[str, str]:
        """Id -> password hash; what `of` would refuse is left out."""
        prefix = username_of("")
        found = {name.removeprefix(prefix): user for name, user in self.users.items() if name.startswith(prefix)}
        return {
            school: user.password_hash
            for school, user in found.items()
            if _SCHOOL.fullmatch(school) and is_hash(user.password_hash)
        }

    def lets_in(self, name: str | None, password: str | None) -> bool:
        user = self.users.get(name or "")
        return user is not None and verify_password(password or "", user.password_hash)

    def allows(self, name: str | None, topic_or_filter: str) -> bool:
        """True where every topic that this filter matches (a topic matches itself) is inside one of the user's."""
        user = self.users.get(name or "")
        return user is not None and any(covers(each, topic_or_filter) for each in user.filters)


def covers(wide: str, narrow: str) -> bool:
    """True where the filter `wide` matches all that `narrow`, a filter or a topic, matches (MQTT 3.1.1 4.7)."""
    wide_levels, narrow_levels = wide.split("/"), narrow.split("/")
    if narrow.startswith("$") and wide_levels[0] in ("#", "+"):
        return False  # MQTT 3.1.1 4.7.2
    for position, level in enumerate(wide_levels):
        if level == "#":
            return True
        if position == len(narrow_levels):
            return False
        if narrow_levels[position] == "#" or (level != "+" and level != narrow_levels[position]):
            return False
    return len(wide_levels) == len(narrow_levels)


def _is_inside(one: str, others: list[str]) -> bool:
    return any(covers(other, one) for other in others if other != one)
