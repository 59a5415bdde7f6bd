import asyncio
import json
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from testing.webrtc.nodes import CONTROL, ROOT, SECRET, node_process
from webrtc.node.arguments import SECRET_VARIABLE, NodeSettings, read_arguments
from webrtc.node.registration import ControllerSettings

ENVIRONMENT = {SECRET_VARIABLE: SECRET}


async def test_node_says_where_it_listens_and_ends_on_sigterm() -> None:
    async with node_process() as running:
        async with running.node.http.get(f"{running.node.url}/v1/node", headers=CONTROL) as response:
            told = await response.json()
        assert (told["node"], told["udp_port"]) == (running.node.name, running.node.udp_port)
        async with running.node.events() as socket:
            assert json.loads(await socket.receive_str())["type"] == "snapshot"
            running.process.terminate()
            async with asyncio.timeout(5):
                assert await running.process.wait() == 0
                while (message := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
                    pass
                assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, aiohttp.WSCloseCode.GOING_AWAY)
        assert "Traceback" not in await running.log()


async def test_each_start_has_another_name() -> None:
    async with node_process() as first, node_process() as second:
        assert first.node.name != second.node.name


async def test_killed_node_leaves_its_ports_at_once() -> None:
    async with node_process() as running:
        port = running.node.url.rpartition(":")[2]
        running.process.kill()
        await running.process.wait()
    async with node_process("--control", f"127.0.0.1:{port}", "--udp", f"127.0.0.1:{running.node.udp_port}") as again:
        assert (again.node.url, again.node.udp_port) == (running.node.url, running.node.udp_port)


async def test_node_ends_when_no_controller_listens() -> None:
    async with node_process("--orphan-timeout-s", "0.3") as running, asyncio.timeout(10):
        assert await running.process.wait() == 0


async def test_node_stays_while_a_controller_listens() -> None:
    async with node_process("--orphan-timeout-s", "0.5") as running:
        async with running.node.events():
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1.5):
                    await running.process.wait()
        async with asyncio.timeout(10):
            assert await running.process.wait() == 0


async def test_node_with_lessons_asks_to_be_emptied_before_it_ends() -> None:
    async with node_process() as running, running.node.events() as socket, asyncio.timeout(20):
        await running.node.open_bridge("lesson")
        running.process.terminate()
        while not json.loads(await socket.receive_str()).get("draining"):
            pass
        async with running.node.http.delete(f"{running.node.url}/v1/bridges/lesson", headers=CONTROL):
            assert await running.process.wait() == 0


async def test_second_signal_ends_a_node_at_once() -> None:
    async with node_process("--drain-timeout-s", "600") as running, running.node.events() as socket:
        await running.node.open_bridge("lesson")
        running.process.terminate()
        async with asyncio.timeout(20):
            while not json.loads(await socket.receive_str()).get("draining"):
                pass
            running.process.terminate()
            assert await running.process.wait() == 0


async def test_node_with_lessons_that_nobody_takes_ends_all_the_same() -> None:
    async with node_process("--drain-timeout-s", "0.3") as running, running.node.events(), asyncio.timeout(20):
        await running.node.open_bridge("lesson")
        running.process.terminate()
        assert await running.process.wait() == 0


async def test_node_measures_its_load() -> None:
    async with node_process() as running, running.node.events() as socket, asyncio.timeout(20):
        while not (load := json.loads(await socket.receive_str())).get("cpu"):
            pass
        assert 0 < load["cpu"] < 1


@pytest.mark.parametrize(
    ("arguments", "environment", "says"),
    [
        ([], ENVIRONMENT, "--advertise"),
        (["--advertise", "localhost"], ENVIRONMENT, "'localhost' is not an IP address"),
        (["--advertise", "192.0.2.1", "--control", "80"], ENVIRONMENT, "'80' is not HOST:PORT"),
        (["--advertise", "192.0.2.1", "--udp", "0.0.0.0:99999"], ENVIRONMENT, "is not HOST:PORT"),
        (["--advertise", "192.0.2.1"], {}, SECRET_VARIABLE),
        (["--advertise", "192.0.2.1"], {SECRET_VARIABLE: "short"}, "at least 32 bytes"),
        (["--advertise", "192.0.2.1", "--nonsense"], ENVIRONMENT, "--nonsense"),
        (["--advertise", "192.0.2.1", "--controller", "school.example"], ENVIRONMENT, "is not http://HOST:PORT"),
        (["--advertise", "192.0.2.1", "--control-url", "http://é.example"], ENVIRONMENT, "is not http://HOST:PORT"),
        (["--advertise", "192.0.2.1", "--name", "a b"], ENVIRONMENT, "'a b' is not 1 to 64 letters"),
        (["--advertise", "192.0.2.1", "--advertise", "2001:db8::1"], ENVIRONMENT, "no --udp listens on"),
        (["--advertise", "::1", "--udp", "[::]:1", "--udp", "[::1]:2"], ENVIRONMENT, "the same port"),
    ],
)
def test_wrong_arguments_end_with_a_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], environment: dict[str, str], says: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        read_arguments(arguments, environment)
    assert (ended.value.code, says in capsys.readouterr().err) == (2, True)


def test_arguments_become_settings() -> None:
    arguments = "--control 127.0.0.1:8090 --udp [::]:5000 --udp [::1]:5000 --no-tcp"
    addresses = "--advertise 192.0.2.1 --advertise 2001:db8::1"
    assert read_arguments([*arguments.split(), *addresses.split()], ENVIRONMENT) == NodeSettings(
        control_host="127.0.0.1",
        control_port=8090,
        media_hosts=("::", "::1"),
        media_port=5000,
        tcp=False,
        advertise=("192.0.2.1", "2001:db8::1"),
        secret=SECRET,
        orphan_timeout_s=300.0,
    )


def test_settings_of_a_node_that_registers() -> None:
    arguments = "--advertise 192.0.2.1 --capacity 80 --controller https://nhipcau.example/ --name north".split()
    further = "--controller-ca ca.pem --control-url https://north.example:7880".split()
    settings = read_arguments(arguments + further, ENVIRONMENT)
    assert settings.known_as == ("127.0.0.1", "192.0.2.1", "north.example")
    assert (settings.capacity, settings.controller) == (
        80,
        ControllerSettings(
            url="https://nhipcau.example",
            name="north",
            control_url="https://north.example:7880",
            ca_file=Path("ca.pem"),
        ),
    )


@pytest.mark.parametrize(
    ("arguments", "tls"),
    [
        ("", False),
        ("--control-tls", True),
        ("--controller https://nhipcau.example", True),
        ("--controller https://nhipcau.example --control-url https://north.example", True),
        ("--controller https://nhipcau.example --control-url http://north.example", False),
        ("--controller https://nhipcau.example --control-url https://proxy.example --no-control-tls", False),
    ],
)
def test_node_elsewhere_speaks_tls_unless_configured_otherwise(arguments: str, tls: bool) -> None:
    settings = read_arguments(["--advertise", "192.0.2.1", *arguments.split()], ENVIRONMENT)
    assert settings.control_tls is tls


async def test_taken_port_is_an_error_and_not_a_hang() -> None:
    async with node_process() as running:
        command = [sys.executable, "-m", "webrtc.node", "--advertise", "127.0.0.1"]
        again = await asyncio.create_subprocess_exec(
            *command,
            *("--control", running.node.url.removeprefix("http://")),
            cwd=ROOT,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        async with asyncio.timeout(20):
            written, _ = await again.communicate()
        assert (again.returncode, written) == (1, b"")
