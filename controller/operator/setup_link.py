"""The link for the first administrator, on its way to the person who installs: never into a log.

A terminal is read by that person alone. What else stands behind standard output, such as a service's journal, may be
kept and sent elsewhere; so the link is in a file that only the service's user and root can read.
"""

import os
import sys
from pathlib import Path

NAME = "setup-link"


def link(url: str, secret: str) -> str:
    """In the fragment, which no browser sends and no proxy logs."""
    return f"{url}/setup#token={secret}"


def announce(data_dir: Path, url: str, secret: str) -> str:
    """A line for standard output, which has the link itself where that is a terminal. Raises `OSError`."""
    if sys.stdout.isatty():
        return f"First administrator (once): {link(url, secret)}"
    file = data_dir / NAME
    file.unlink(missing_ok=True)  # one of other rights would keep them
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(link(url, secret) + "\n")
    return f"First administrator: the link, good once, is in {file}"


def withdraw(data_dir: Path) -> None:
    """There is an administrator: what was announced is used up."""
    (data_dir / NAME).unlink(missing_ok=True)
