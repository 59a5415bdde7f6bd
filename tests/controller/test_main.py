"""The command line, as a process: what an operator types, and what it says."""

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

CONFIG = """\
data_dir: data
http: {listen: auto}
mqtt: {embedded: {listen: auto}}
bridge: {local: {udp_listen: "127.0.0.1:0"}}
"""
WITHIN_S = 60.0


async def start(directory: Path, *arguments: str, through: Sequence[str] = ()) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(*through, sys.executable, "-m", "controller", *arguments),
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONUNBUFFERED": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def said(directory: Path, *arguments: str) -> tuple[int | None, str, str]:
    """Exit code, standard output, standard error."""
    process = await start(directory, *arguments)
    async with asyncio.timeout(WITHIN_S):
        output, errors = await process.communicate()
    return process.returncode, output.decode(), errors.decode()


@asynccontextmanager
async def controller(directory: Path) -> AsyncIterator[str]:
    """A running controller; gives its URL."""
    process = await start(directory, "run")
    assert process.stdout is not None
    try:
        async with asyncio.timeout(WITHIN_S):
            line = (await process.stdout.readline()).decode()
        yield line.split()[-1]
    finally:
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(WITHIN_S):
            await process.communicate()
    assert process.returncode == 0


async def test_a_good_configuration_is_said_to_be_good(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG)
    assert await said(tmp_path, "check-config") == (0, "config.yaml: nothing to complain about\n", "")


async def test_a_bad_configuration_is_refused_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("http:\n  lisen: auto\nlogging: {level: loud}\n")
    code, output, errors = await said(tmp_path, "run")
    assert (code, output) == (2, "")
    assert re.findall(r"^config\.yaml:(\d+): (\S+):", errors, re.MULTILINE) == [
        ("2", "http.lisen"),
        ("3", "logging.level"),
    ]


async def test_a_taken_port_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        (tmp_path / "config.yaml").write_text(
            CONFIG.replace("listen: auto}\nmqtt", f'listen: "127.0.0.1:{port}"}}\nmqtt')
        )
        code, _, errors = await said(tmp_path, "run")
    assert code == 1
    assert f"nhipcau: http.listen: 127.0.0.1:{port} cannot be used" in errors
    assert "Traceback" not in errors


async def test_a_second_controller_on_the_same_data_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG)
    async with controller(tmp_path):
        code, _, errors = await said(tmp_path, "run")
    assert code == 1
    assert "Traceback" not in errors
    assert errors.splitlines()[-1].startswith("nhipcau: ")


async def test_setup_links_are_printed_while_nobody_administers(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "data").mkdir()
    code, output, errors = await said(tmp_path, "setup-link")
    assert (code, errors) == (0, "")
    assert re.fullmatch(r"/setup#token=[\w-]{20,}\n", output)


async def test_a_token_for_nobody_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "data").mkdir()
    code, output, errors = await said(tmp_path, "token", "create", "nobody")
    assert (code, output) == (1, "")
    assert errors.startswith("nhipcau: ")


async def test_a_certificate_is_made_once(tmp_path: Path) -> None:
    made = await said(tmp_path, "certificate", "--dir", "tls", "--name", "localhost", "--name", "127.0.0.1")
    again = await said(tmp_path, "certificate", "--dir", "tls", "--name", "localhost", "--name", "127.0.0.1")
    assert (made[0], again[0]) == (0, 0)
    assert again[1] == made[1].rstrip("\n") + "; left as it was\n"


@pytest.mark.parametrize("arguments", [["run", "--nonsense"], ["dance"], []])
async def test_a_wrong_call_says_how(tmp_path: Path, arguments: list[str]) -> None:
    code, _, errors = await said(tmp_path, *arguments)
    assert code == 2
    assert errors.startswith("usage: nhipcau")


async def test_bridge_hands_over_to_the_node(tmp_path: Path) -> None:
    code, _, errors = await said(tmp_path, "bridge", "--advertise", "127.0.0.1")
    assert code == 2
    assert "NHIPCAU_BRIDGE_SECRET" in errors
