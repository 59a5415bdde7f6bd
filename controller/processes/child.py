"""A child process that outlives the controller: started detached, watched, restarted, adopted by the next controller.

Media and MQTT go on while the controller restarts, even after SIGKILL: the child is in a session of its own, and a
state file tells the next controller which process it is.
"""

import asyncio
import contextlib
import errno
import fcntl
import hashlib
import json
import logging
import os
import random
import signal
import subprocess
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO

from controller.processes.errors import ChildFailed
from controller.processes.process import Identity, Process, identify
from controller.small_file import noted, read_small, write_small

logger = logging.getLogger(__name__)

_LOG_LIMIT = 1 << 20  # bytes; twice that is kept in all
_LOG_CHECK_S = 60.0
_LAST_WORDS = 5  # lines of a dead child's log that go into ours
_PROBE_EVERY_S = 0.02
_LONG_ENOUGH_S = 30.0  # a child that was ready this long is started again at once
_BACK_OFF_S = (0.2, 10.0)  # first and longest
_TRANSIENT = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN)  # of starting a process: later it may go


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildProgram:
    """What to start. A change of anything here but `found` replaces a child that an earlier controller left running."""

    name: str  # for logs and file names
    arguments: Sequence[str]
    found: Sequence[str] = ()  # further arguments: how this machine happens to be now
    fits: Callable[[Mapping[str, object]], bool] = field(default=lambda data: True, repr=False)
    """Whether a child that was started with others of `found` still does, by what it said when it was ready."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)  # added to ours; may hold a secret
    settings: str = field(default="", repr=False)  # what it reads when it starts, e.g. its configuration file's text
    probe: Callable[[], Awaitable[Mapping[str, object]]] | None = None
    """Asks whether it is ready, and raises `OSError` while it is not. None: it prints one line of JSON when it is."""

    @property
    def fingerprint(self) -> str:
        told = json.dumps([self.name, list(self.arguments), dict(self.environment), self.settings], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A child that has said it is ready."""

    generation: int  # 1 for the first process this object saw, more for each process after it
    pid: int
    adopted: bool  # started by an earlier controller
    data: Mapping[str, object]  # its ready line, or what the probe returned


class Child:
    """Its owner runs `run()` as a task; everybody may await `ready()` and `lost()`."""

    def __init__(
        self,
        program: ChildProgram,
        *,
        directory: Path,
        ready_timeout_s: float = 20.0,
        stop_grace_s: float = 5.0,
        restart_after_s: Callable[[], float] = lambda: 0.0,
        timeout: Callable[[float], AbstractAsyncContextManager[object]] = asyncio.timeout,
    ) -> None:
        """`directory` gets `<name>.state`, `<name>.lock` and `<name>.log` (all that the child writes to stderr).

        `restart_after_s`: asked how long it stays away after it was well; one that fails again is waited for longer.
        `timeout`: how `ready_timeout_s` is counted; in our own time where we may be late ourselves.
        """
        self.program = program
        self.current: Ready | None = None
        """The process that is ready now; None while there is none."""
        self.generation = 0
        self._directory = directory
        self._ready_timeout_s = ready_timeout_s
        self._stop_grace_s = stop_grace_s
        self._restart_after_s = restart_after_s
        self._timeout = timeout
        self._changed = asyncio.Event()
        self._process: Process | None = None
        self._unrecorded: tuple[Identity, Mapping[str, object] | None] | None = None

    async def run(self) -> None:
        """Keep one process running until cancelled; then stop it: SIGTERM, and SIGKILL if it does not go.

        Raises `ChildFailed` where the program cannot be started at all, or another controller has it.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        loop = asyncio.get_running_loop()
        failures = 0
        with _locked(self._file("lock")):
            while True:
                since = loop.time()
                was_ready = await self._live()
                failures = 0 if was_ready and loop.time() - since >= _LONG_ENOUGH_S else failures + 1
                delay_s = _back_off_s(failures) if failures > 1 or not was_ready else self._restart_after_s()
                logger.warning("%s: starting it again in %.1f s", self.program.name, delay_s)
                await asyncio.sleep(delay_s)

    async def ready(self, *, after: int = 0) -> Ready:
        """The ready process, once there is one of a generation greater than `after`."""
        while self.current is None or self.current.generation <= after:
            await self._changed.wait()
        return self.current

    async def lost(self, generation: int) -> None:
        """Return once the process of `generation` is not the ready one (any more)."""
        while self.current is not None and self.current.generation == generation:
            await self._changed.wait()

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the process, if there is one. After SIGKILL, a new one is started."""
        if self._process is not None:
            self._process.send_signal(number)

    async def _live(self) -> bool:
        """One process from its start, or its adoption, to its end; True where it became ready."""
        name = self.program.name
        process, data = self._adopt() or (None, None)
        adopted = process is not None
        if process is None:
            await self._stop_stranger()
            try:
                process = self._spawn()
            except OSError as error:
                if error.errno not in _TRANSIENT:
                    raise ChildFailed(f"{name}: {self.program.arguments[0]}: {error.strerror}") from error
                logger.warning("%s: cannot be started now: %s", name, error.strerror)
                return False
        self._process = process
        self.generation += 1
        try:
            self._record(process.identity, data)
            data = await self._wait_until_ready(process, data)
            if data is not None:
                self._record(process.identity, data)
                pid = process.identity.pid
                self._set(Ready(generation=self.generation, pid=pid, adopted=adopted, data=data))
                logger.info("%s: %s, process %d", name, "adopted" if adopted else "ready", pid)
                await self._watch(process)
            elif not process.has_exited:
                logger.warning("%s: not ready after %g s", name, self._ready_timeout_s)
            if process.has_exited:
                logger.warning("%s: ended%s%s", name, _how(process.exit_code), self._last_words())
            return data is not None
        finally:
            self._set(None)
            await process.stop(grace_s=self._stop_grace_s)
            process.close()
            self._process = None
            self._unrecorded = None
            with contextlib.suppress(OSError):
                self._file("state").unlink(missing_ok=True)

    def _adopt(self) -> tuple[Process, Mapping[str, object]] | None:
        """The ready process of an earlier controller, where it runs this very program."""
        state = self._read_state()
        if state is None or state.data is None or state.fingerprint != self.program.fingerprint:
            return None
        if not self.program.fits(state.data):
            return None
        process = Process.find(state.identity)
        return None if process is None else (process, state.data)

    async def _stop_stranger(self) -> None:
        """End what an earlier controller left running with other settings, or before it was ready."""
        state = self._read_state()
        process = None if state is None else Process.find(state.identity)
        if process is None:
            return
        logger.info("%s: stopping process %d, it has other settings", self.program.name, process.identity.pid)
        try:
            await process.stop(grace_s=self._stop_grace_s)
        finally:
            process.close()

    def _spawn(self) -> Process:
        """Raises `OSError`."""
        self._trim_log()
        with self._open_log() as log:
            return Process.spawn(
                [*self.program.arguments, *self.program.found],
                environment=self.program.environment,
                stdout=subprocess.PIPE if self.program.probe is None else log,
                stderr=log,
            )

    async def _wait_until_ready(
        self, process: Process, data: Mapping[str, object] | None
    ) -> Mapping[str, object] | None:
        """What it says when it is ready; None where it ends before, or takes too long."""
        try:
            async with self._timeout(self._ready_timeout_s):
                if self.program.probe is not None:
                    return await self._probe(process, self.program.probe)
                if data is None:
                    data = _json_object(await process.first_line())
                if data is None:
                    await process.exited()  # it closes its output a moment before
                return data
        except TimeoutError:
            return None

    async def _probe(
        self, process: Process, probe: Callable[[], Awaitable[Mapping[str, object]]]
    ) -> Mapping[str, object] | None:
        while not process.has_exited:
            try:
                return await probe()
            except OSError:
                await asyncio.sleep(_PROBE_EVERY_S)
        return None

    async def _watch(self, process: Process) -> None:
        """Return when the process ends; keep its log small meanwhile."""
        while not process.has_exited:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOG_CHECK_S):
                    await process.exited()
            self._trim_log()
            self._record_again()

    def _set(self, ready: Ready | None) -> None:
        self.current = ready
        self._changed.set()
        self._changed = asyncio.Event()

    def _file(self, suffix: str) -> Path:
        return self._directory / f"{self.program.name}.{suffix}"

    def _read_state(self) -> "_State | None":
        return _State.read(self._file("state"))

    def _record(self, identity: Identity, data: Mapping[str, object] | None) -> None:
        """For the next controller, which cannot adopt what is not written; the process runs all the same."""
        state = _State(identity=identity, fingerprint=self.program.fingerprint, data=data)
        file, text = self._file("state"), state.format()
        written = noted(file, text, said=self._unrecorded is not None) or _overwritten(file, text)
        self._unrecorded = None if written else (identity, data)

    def _record_again(self) -> None:
        if self._unrecorded is not None:
            self._record(*self._unrecorded)

    def _open_log(self) -> BinaryIO:
        try:
            return _open_private(self._file("log"))
        except OSError as error:
            logger.warning("%s: runs without a log: %s", self.program.name, error)
            return Path(os.devnull).open("ab")

    def _trim_log(self) -> None:
        """Move a large log aside. Copied and cut, because the child has it open (for appending)."""
        log = self._file("log")
        try:
            if not log.exists() or log.stat().st_size <= _LOG_LIMIT:
                return
            with log.open("rb+") as stream:
                stream.seek(-_LOG_LIMIT, os.SEEK_END)
                last = stream.read(_LOG_LIMIT)
                stream.truncate(0)  # first: where the disk is full, the log itself may be why
            write_small(self._file("log.old"), last)
        except OSError as error:
            logger.warning("%s: its log is not kept: %s", self.program.name, error)

    def _last_words(self) -> str:
        with contextlib.suppress(OSError), self._file("log").open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - 4096))
            lines = stream.read().decode(errors="replace").splitlines()[-_LAST_WORDS:]
            return "".join(f"\n  {line}" for line in lines)
        return ""


def left_running(directory: Path, name: str) -> bool:
    """Whether a child of this name runs that an earlier controller started."""
    state = _State.read(directory / f"{name}.state")
    return state is not None and identify(state.identity.pid) == state.identity


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """What the next controller must know. `data` is None until the process is ready."""

    identity: Identity
    fingerprint: str
    data: Mapping[str, object] | None

    def format(self) -> str:
        return json.dumps({"process": asdict(self.identity), "fingerprint": self.fingerprint, "data": self.data})

    @staticmethod
    def read(file: Path) -> "_State | None":
        try:
            state = json.loads(read_small(file) or "")
            return _State(identity=Identity(**state["process"]), fingerprint=state["fingerprint"], data=state["data"])
        except (ValueError, TypeError, KeyError):
            return None  # none, or cut short when the machine went down: then the process is gone too


def _json_object(line: bytes) -> Mapping[str, object] | None:
    try:
        data = json.loads(line)
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


def _how(exit_code: int | None) -> str:
    if exit_code is None:
        return ""
    return f" with code {exit_code}" if exit_code >= 0 else f" by signal {-exit_code}"


def _back_off_s(failures: int) -> float:
    first, longest = _BACK_OFF_S
    delay_s: float = min(longest, first * 2.0 ** min(failures - 1, 16))
    return delay_s * random.uniform(0.5, 1.0)


def _overwritten(file: Path, text: str) -> bool:
    """Whether a file that is there took another text: on a full disk it has its one block already."""
    try:
        with file.open("r+b", buffering=0) as stream:
            stream.truncate(stream.write(text.encode()))
    except OSError:
        return False
    return True


def _open_private(file: Path) -> BinaryIO:
    return os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "ab")


@contextlib.contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Holds the file for this process alone; the system lets go of it however the process ends."""
    try:
        stream = _open_private(file)
    except OSError as error:
        raise ChildFailed(f"{file} cannot be written: {error.strerror}") from error
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ChildFailed(f"another controller is running with {file.parent}; stop it first") from error
        yield
