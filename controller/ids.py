"""New ids: short enough to read aloud, random enough never to meet again."""

import secrets

from devices.device import CommandId

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""No 0, o, 1, i, l: ids are read from screens and labels."""


def new_id(prefix: str) -> str:
    """`prefix` and 12 random characters (59 bits)."""
    return prefix + "".join(secrets.choice(ALPHABET) for _ in range(12))


def new_command_id() -> CommandId:
    return CommandId(new_id("c"))
