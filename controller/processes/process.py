"""A process on this machine, ours or adopted, held by a pidfd so that its id cannot come to mean another process.

Linux only: pidfd_open(2), pidfd_send_signal(2), proc(5).
"""

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

_LINE_LIMIT = 1 << 16  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Names one process for ever: ids are used again, but not with the same start time in the same boot."""

    boot: str
    pid: int
    started: int  # clock ticks since boot


def identify(pid: int) -> Identity | None:
    """The identity of the process that has this id now; None where none runs."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()  # the name before it may hold anything, brackets too
    if fields[0] in ("Z", "X"):  # a dead child of a container's init that does not collect its children
        return None
    return Identity(boot=boot, pid=pid, started=int(fields[19]))


class Process:
    """Close it when done; closing lets a running process run on."""

    def __init__(self, identity: Identity, pidfd: int, popen: subprocess.Popen[bytes] | None) -> None:
        self.identity = identity
        self.exit_code: int | None = None
        """Once exited: as `subprocess.Popen.returncode`; None where it was not our child."""
        self._pidfd = pidfd
        self._popen = popen
        self._exited = asyncio.Event()
        self._output = None if popen is None else popen.stdout
        self._first_line = b""
        self._first_line_read = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(pidfd, self._on_exit)
        if self._output is not None:
            os.set_blocking(self._output.fileno(), False)
            loop.add_reader(self._output, self._on_output)

    @classmethod
    def spawn(
        cls, arguments: Sequence[str], *, environment: Mapping[str, str], stdout: BinaryIO | int, stderr: BinaryIO
    ) -> Self:
        """Start a process in a session of its own, so that no terminal or signal to our group reaches it.

        Raises `OSError` where it cannot be started.
        """
        popen = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env={**os.environ, **environment},
            start_new_session=True,
        )
        try:
            pidfd = os.pidfd_open(popen.pid)
        except OSError:  # no descriptor left: nobody could watch or end it
            with popen:  # closes its output
                popen.kill()
            raise
        # Not collected yet, so it is in /proc, though perhaps already as a zombie without a start time of use.
        identity = identify(popen.pid) or Identity(boot="", pid=popen.pid, started=0)
        return cls(identity, pidfd, popen)

    @classmethod
    def find(cls, identity: Identity) -> Self | None:
        """The process with this identity, where it still runs."""
        try:
            pidfd = os.pidfd_open(identity.pid)
        except (ProcessLookupError, OverflowError, ValueError):
            return None
        if identify(identity.pid) != identity:  # looked at after the pidfd is open: it cannot change any more
            os.close(pidfd)
            return None
        return cls(identity, pidfd, None)

    @property
    def has_exited(self) -> bool:
        return self._exited.is_set()

    async def exited(self) -> None:
        """Return once it has ended, for whatever reason."""
        await self._exited.wait()

    async def first_line(self) -> bytes:
        """What it first writes to a standard output that is a pipe, up to the end of the line or of the output."""
        await self._first_line_read.wait()
        return self._first_line

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens where it has ended."""
        if self.has_exited:
            return
        try:
            signal.pidfd_send_signal(self._pidfd, number)
        except ProcessLookupError:
            pass  # ended, and the loop has not told us yet

    async def stop(self, *, grace_s: float) -> None:
        """SIGTERM, and SIGKILL where it has not ended after `grace_s`; return once it has ended."""
        self.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace_s):
                await self.exited()
        except TimeoutError:
            self.send_signal(signal.SIGKILL)
            await self.exited()

    def close(self) -> None:
        if self._pidfd >= 0:
            asyncio.get_running_loop().remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = -1
        self._close_output()

    def _on_output(self) -> None:
        if self._output is None:
            return
        data = os.read(self._output.fileno(), _LINE_LIMIT)
        if not self._first_line_read.is_set():
            self._first_line += data
            if not data or b"\n" in data or len(self._first_line) > _LINE_LIMIT:
                self._first_line = self._first_line.partition(b"\n")[0]
                self._first_line_read.set()
        if not data:  # later lines are read too, and thrown away: the process must not block on a full pipe
            self._close_output()

    def _close_output(self) -> None:
        if self._output is not None:
            asyncio.get_running_loop().remove_reader(self._output)
            self._output.close()
            self._output = None

    def _on_exit(self) -> None:
        asyncio.get_running_loop().remove_reader(self._pidfd)
        if self._popen is not None:
            self.exit_code = self._popen.wait()  # does not wait: the pidfd says it has ended
        self._exited.set()
