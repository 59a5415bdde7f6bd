"""Real processes: crash and restart, adoption after the parent's SIGKILL, clean stop."""

import asyncio
import contextlib
import json
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from controller.processes.child import Child, ChildProgram, Ready
from controller.processes.errors import ChildFailed
from controller.processes.process import Process, identify
from tests.eventually import eventually
from tests.filesystem import small_disk

# Says it is ready, with its id and an environment variable, and waits for SIGTERM.
SERVER = """
import json, os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
print(json.dumps({"pid": os.getpid(), "word": os.environ.get("WORD")}), flush=True)
print("started", file=sys.stderr, flush=True)
signal.sigwait([signal.SIGTERM])
"""
QUIET = "\n".join(line for line in SERVER.splitlines() if "stderr" not in line)  # where nothing can be written
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('{}', flush=True); signal.pause()"
# A controller of its own: runs the child until somebody kills it.
PARENT = """
import asyncio, sys
from pathlib import Path
from controller.processes.child import Child, ChildProgram
child = Child(ChildProgram(name="server", arguments=[sys.executable, "-c", sys.argv[1]]), directory=Path(sys.argv[2]))
async def main():
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(child.run())
        await child.ready()
        print("up", flush=True)
asyncio.run(main())
"""


def program(script: str = SERVER, **environment: str) -> ChildProgram:
    return ChildProgram(name="server", arguments=[sys.executable, "-c", script], environment=environment)


@contextlib.asynccontextmanager
async def running(child: Child) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(child.run(), name="child")
    try:
        async with asyncio.timeout(30):
            yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def modes(directory: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mode & 0o777 for file in directory.iterdir()}


def recorded(directory: Path) -> tuple[int, dict[str, object] | None] | None:
    """The process in the state file, and what it said."""
    try:
        state = json.loads((directory / "server.state").read_text())
    except (OSError, ValueError):
        return None
    return state["process"]["pid"], state["data"]


async def leave_running(directory: Path, script: str = SERVER) -> int:
    """A child whose controller was killed with SIGKILL; returns its process id."""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, script, str(directory), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    async with asyncio.timeout(30):
        assert await parent.stdout.readline() == b"up\n"
        parent.kill()
        await parent.wait()
    state = json.loads((directory / "server.state").read_text())
    assert identify(state["process"]["pid"]) is not None
    return int(state["process"]["pid"])


async def test_ready_gives_what_the_child_said(tmp_path: Path) -> None:
    child = Child(program(WORD="secret"), directory=tmp_path)
    async with running(child):
        ready = await child.ready()
        assert ready == Ready(generation=1, pid=ready.pid, adopted=False, data={"pid": ready.pid, "word": "secret"})
        assert os.getsid(ready.pid) == ready.pid
    assert "secret" not in repr(child.program)


async def test_stop_ends_the_child_and_forgets_it(tmp_path: Path) -> None:
    child = Child(program(), directory=tmp_path)
    async with running(child):
        ready = await child.ready()
    assert identify(ready.pid) is None
    assert child.current is None
    assert not (tmp_path / "server.state").exists()
    assert (tmp_path / "server.log").read_text() == "started\n"


async def test_child_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    child = Child(program(STUBBORN), directory=tmp_path, stop_grace_s=0.1)
    async with running(child):
        ready = await child.ready()
    assert identify(ready.pid) is None


async def test_killed_child_is_noticed_and_started_again_at_once(tmp_path: Path) -> None:
    child = Child(program(), directory=tmp_path)
    async with running(child):
        first = await child.ready()
        os.kill(first.pid, signal.SIGKILL)
        await child.lost(first.generation)
        second = await child.ready(after=first.generation)
        assert (second.generation, second.adopted) == (2, False)
        assert second.pid != first.pid


async def test_next_controller_adopts_the_child(tmp_path: Path) -> None:
    pid = await leave_running(tmp_path)
    child = Child(program(), directory=tmp_path)
    async with running(child):
        assert await child.ready() == Ready(generation=1, pid=pid, adopted=True, data={"pid": pid, "word": None})
    assert identify(pid) is None


async def test_adopted_child_is_watched(tmp_path: Path) -> None:
    pid = await leave_running(tmp_path)
    child = Child(program(), directory=tmp_path)
    async with running(child):
        first = await child.ready()
        os.kill(pid, signal.SIGKILL)
        second = await child.ready(after=first.generation)
        assert (second.generation, second.adopted) == (2, False)


async def test_child_with_other_settings_is_replaced(tmp_path: Path) -> None:
    pid = await leave_running(tmp_path)
    child = Child(program(WORD="new"), directory=tmp_path)
    async with running(child):
        ready = await child.ready()
        assert identify(pid) is None
        assert (ready.adopted, ready.data["word"]) == (False, "new")


@pytest.mark.parametrize("fits", [True, False])
async def test_child_that_found_its_machine_otherwise_stays_where_it_still_fits(tmp_path: Path, fits: bool) -> None:
    pid = await leave_running(tmp_path)
    given = replace(program(), found=["now"], fits=lambda said: said["pid"] == pid and fits)
    child = Child(given, directory=tmp_path)
    async with running(child):
        ready = await child.ready()
        assert (ready.adopted, ready.pid == pid) == (fits, fits)


@pytest.mark.parametrize("change", [{"started": 1}, {"boot": "another boot"}, {"pid": 2**40}])
async def test_another_process_with_the_same_id_is_left_alone(tmp_path: Path, change: dict[str, object]) -> None:
    bystander = identify(os.getpid())
    assert bystander is not None
    identity = {"boot": bystander.boot, "pid": bystander.pid, "started": bystander.started} | change
    state = {"process": identity, "fingerprint": program().fingerprint, "data": {}}
    (tmp_path / "server.state").write_text(json.dumps(state))
    child = Child(program(), directory=tmp_path)
    async with running(child):
        assert not (await child.ready()).adopted


@pytest.mark.parametrize("state", ["", "{", "[]", '{"process": {}}', '{"process": 1, "fingerprint": "", "data": {}}'])
async def test_broken_state_file_means_a_new_child(tmp_path: Path, state: str) -> None:
    (tmp_path / "server.state").write_text(state)
    child = Child(program(), directory=tmp_path)
    async with running(child):
        assert not (await child.ready()).adopted


async def test_child_that_dies_before_it_is_ready_is_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    script = f"""
import os, sys
if not os.path.exists({str(tmp_path / "tried")!r}):
    open({str(tmp_path / "tried")!r}, "w").close()
    sys.exit("the port is taken")
{SERVER}"""
    child = Child(program(script), directory=tmp_path)
    async with running(child):
        assert (await child.ready()).generation == 2
    assert "server: ended with code 1\n  the port is taken" in caplog.messages


async def test_child_that_never_says_it_is_ready_is_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first_is_silent = f"""
import os, signal
if not os.path.exists({str(tmp_path / "tried")!r}):
    open({str(tmp_path / "tried")!r}, "w").close()
    signal.pause()
{SERVER}"""
    child = Child(program(first_is_silent), directory=tmp_path, ready_timeout_s=2)
    async with running(child):
        assert (await child.ready()).generation == 2
    assert "server: not ready after 2 s" in caplog.messages


async def test_talkative_child_does_not_block(tmp_path: Path) -> None:
    script = "print('{}', flush=True); print('x' * 300_000, flush=True)"
    child = Child(program(script), directory=tmp_path)
    async with running(child):
        first = await child.ready()
        await child.lost(first.generation)  # it came to its end
        assert (await child.ready(after=first.generation)).generation == 2


async def test_large_log_is_moved_aside(tmp_path: Path) -> None:
    (tmp_path / "server.log").write_bytes(b"a" * 500_000 + b"b" * (1 << 20))
    child = Child(program(), directory=tmp_path)
    async with running(child):
        await child.ready()
    assert (tmp_path / "server.log").read_text() == "started\n"
    assert (tmp_path / "server.log.old").read_bytes() == b"b" * (1 << 20)


async def test_program_that_is_not_there_ends_the_run(tmp_path: Path) -> None:
    child = Child(ChildProgram(name="server", arguments=["/nowhere/server"]), directory=tmp_path)
    with pytest.raises(ChildFailed, match="server: /nowhere/server: No such file or directory"):
        await child.run()


async def test_second_controller_is_refused(tmp_path: Path) -> None:
    child = Child(program(), directory=tmp_path)
    async with running(child):
        ready = await child.ready()
        with pytest.raises(ChildFailed, match="another controller is running"):
            await Child(program(), directory=tmp_path).run()
        assert child.current == ready


async def test_files_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    child = Child(program(), directory=tmp_path)
    async with running(child):
        await child.ready()
        assert modes(tmp_path) == {"server.lock": 0o600, "server.log": 0o600, "server.state": 0o600}


async def test_child_runs_though_it_cannot_be_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.processes.child._LOG_CHECK_S", 0.05)
    with small_disk(tmp_path) as disk:
        child = Child(program(QUIET), directory=disk.path)
        async with running(child):
            first = await child.ready()
            with disk.full():
                os.kill(first.pid, signal.SIGKILL)
                second = await child.ready(after=1)
            await eventually(lambda: recorded(disk.path) == (second.pid, second.data))  # once there is room at last


async def test_child_is_started_once_there_are_descriptors_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    child = Child(program(), directory=tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with running(child):
        first = await child.ready()
        free = os.dup(0)
        os.close(free)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (free + 1, hard))  # the log, and then no pipe
            os.kill(first.pid, signal.SIGKILL)
            await eventually(lambda: any("cannot be started now" in message for message in caplog.messages))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert (await child.ready(after=first.generation)).pid != first.pid


async def test_dead_process_is_not_found(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        process = Process.spawn(["true"], environment={}, stdout=log, stderr=log)
    async with asyncio.timeout(5):
        await process.exited()
    assert process.exit_code == 0
    assert Process.find(process.identity) is None
    process.send_signal(signal.SIGTERM)
    process.close()
