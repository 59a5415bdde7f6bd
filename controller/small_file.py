"""Small private files: read with a sentence about what is wrong with them, written whole or not at all.

They are damaged by power cuts, full disks and people; none of that may end a lesson. So who reads one can go on without
it, and says which file it was and what follows; who writes one for the next controller goes on where it cannot.
"""

import logging
import os
import secrets
from contextlib import suppress
from pathlib import Path

from controller.errors import FileDamaged

logger = logging.getLogger(__name__)

LARGEST_B = 16 << 20
SECRET_BYTES = 32


def read_small(file: Path) -> str | None:
    """Its text; None where there is none. Raises `FileDamaged` where it is empty, no UTF-8 or cannot be read."""
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST_B + 1)
        text = content.decode("utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FileDamaged(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FileDamaged(f"{file} is damaged: it is not UTF-8") from error
    if len(content) > LARGEST_B:
        raise FileDamaged(f"{file} is damaged: it has more than {LARGEST_B} bytes")
    if not text.strip():
        raise FileDamaged(f"{file} is damaged: it is empty")
    return text


def write_small(file: Path, content: str | bytes, *, mode: int = 0o600, durable: bool = False) -> None:
    """Whole or not at all, and never readable by others in between. Raises `OSError`.

    `durable`: it outlives a power cut from the moment on at which this returns. That can take long on a slow disk.
    """
    new = file.with_name(f".{file.name}.new")
    with suppress(FileNotFoundError):
        new.unlink()
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb") as stream:
            stream.write(content.encode() if isinstance(content, str) else content)
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        new.replace(file)
    except OSError:
        with suppress(OSError):
            new.unlink()
        raise
    if durable:
        _sync_directory(file.parent)


def noted(file: Path, content: str, *, durable: bool = False, said: bool = False) -> bool:
    """Whether it could be written: for what the next controller can do without. `said`: the log has it already."""
    try:
        write_small(file, content, durable=durable)
    except OSError as error:
        logger.log(logging.DEBUG if said else logging.WARNING, "%s cannot be written: %s", file, error.strerror)
        return False
    return True


def kept_secret(file: Path, *, at_least: int) -> str:
    """The secret in `file`; a new one where there is none, or what is there cannot be one (`at_least`: characters)."""
    try:
        secret = (read_small(file) or "").strip()
        if len(secret) >= at_least and secret.isascii() and secret.isprintable():
            return secret
        if secret:
            logger.warning("%s is damaged: it holds no secret of %d characters; a new one is made", file, at_least)
    except FileDamaged as error:
        logger.warning("%s; a new secret is made", error)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    noted(file, secret, durable=True)
    return secret


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
