"""Where operators at a shell of this machine reach the running controller: a Unix socket in its data directory.

Whoever may open the socket is an operator: the user that the controller runs as, and root. They can read the database
beside it, too, so this gives nobody more than they have, and there is no secret to keep, and neither the name, the port
nor the certificate of the controller matters.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = "operator.sock"


@contextmanager
def short_path(data_dir: Path) -> Iterator[str]:
    """The socket's path in the 107 bytes that the kernel takes, however long that of `data_dir`. Raises `OSError`."""
    directory = os.open(data_dir, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{directory}/{NAME}"
    finally:
        os.close(directory)


def listen_for_operators(data_dir: Path) -> socket.socket:
    """A socket that nobody else may open; that of a controller before is replaced. Raises `OSError`."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        os.fchmod(listener.fileno(), 0o600)  # before it has a name, so at no time may others open it
        (data_dir / NAME).unlink(missing_ok=True)
        with short_path(data_dir) as path:
            listener.bind(path)
    except BaseException:
        listener.close()
        raise
    return listener
