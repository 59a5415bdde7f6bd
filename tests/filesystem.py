"""A disk that can be full: a small file system of its own where we may mount one, else a limit on this process."""

import contextlib
import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

SIZE = "24m"  # a database and its log have room, and filling it takes no time


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """`path`: where it is. `mounted`: it is a file system of its own."""

    path: Path
    mounted: bool

    def full(self, process: int = 0) -> AbstractContextManager[None]:
        """While the block runs there is no room in `path` for a process (0: ours); what is there can be read."""
        return _filled(self.path) if self.mounted else _limited(self.path, process)


@contextlib.contextmanager
def small_disk(directory: Path) -> Iterator[Disk]:
    """A disk mounted in `directory`, or, where that is not allowed, `directory` itself."""
    path = directory / "disk"
    path.mkdir()
    mounted = _mounted(path)
    try:
        yield Disk(path=path, mounted=mounted)
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(path)], check=True)


def _mounted(path: Path) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=700", "none", str(path)]
    return os.geteuid() == 0 and subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0


@contextlib.contextmanager
def _filled(path: Path) -> Iterator[None]:
    filler = path / "filler"
    with filler.open("wb", buffering=0) as stream, contextlib.suppress(OSError):
        for block in (bytes(1 << 20), bytes(1 << 12), b"x"):
            with contextlib.suppress(OSError):
                while stream.write(block):
                    pass
    _must_be_full(path)
    try:
        yield
    finally:
        filler.unlink()


@contextlib.contextmanager
def _limited(path: Path, process: int) -> Iterator[None]:
    """RLIMIT_FSIZE (prlimit(2)) lets a process and its new children write nothing into any file: EFBIG.

    Python ignores the signal that comes with it.
    """
    limits = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        if process in (0, os.getpid()):
            _must_be_full(path)
        yield
    finally:
        resource.prlimit(process, resource.RLIMIT_FSIZE, limits)


def _must_be_full(path: Path) -> None:
    probe = path / "probe"
    try:
        with contextlib.suppress(OSError):
            probe.write_bytes(b"x")
            raise AssertionError(f"{path} is not full")
    finally:
        probe.unlink(missing_ok=True)
