"""The command line, as a process of its own."""

import asyncio
import sys
from pathlib import Path

import pytest

from demo.simulated.__main__ import main
from devices.mqtt.connection import connect
from testing.mosquitto import Broker


async def test_two_rooms_of_two_schools_announce_themselves_and_say_when_they_are_gone(
    broker: Broker, tmp_path: Path
) -> None:
    password = tmp_path / "password"
    password.write_text("secret\n")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "demo.simulated", "--broker", f"mqtt://127.0.0.1:{broker.port}"),
        *("--school", "le-loi", "--room", "a1", "--room", "nguyen-du/b2", "--fault", "screen=silent"),
        *("--username", "anyone", "--password-file", str(password)),
        stderr=asyncio.subprocess.PIPE,
    )
    announced: set[str] = set()
    gone: set[str] = set()
    async with asyncio.timeout(30), connect(broker.settings) as mqtt:
        await mqtt.subscribe(["sc/1/+/+/+/desc", "sc/1/+/ha/device/+/config"])
        while len(announced) < 14:
            announced |= {message.topic for message in await mqtt.receive()}
        await mqtt.subscribe(["sc/1/+/+/+/avail", "sc/1/+/+/+/status"])
        process.terminate()
        while len(gone) < 14:
            for message in await mqtt.receive():
                if message.payload == b"offline" or b'"online":false' in message.payload:
                    gone.add(message.topic)
        _, errors = await process.communicate()
    assert process.returncode == 0, errors
    assert "Traceback" not in errors.decode()
    assert {topic for topic in announced if topic.endswith("desc")} == {
        f"sc/1/{place}/{slug}/desc"
        for place in ("le-loi/a1", "nguyen-du/b2")
        for slug in ("projector", "screen", "camera")
    }


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--room", "a1"], "say the school as well"),
        (["--room", "le-loi/a 1"], "a room is letters"),
        (["--room", "le-loi/a1", "--fault", "projector=lazy"], "'lazy' is not a valid Fault"),
        (["--room", "le-loi/a1", "--fault", "toaster=silent"], "no simulated device 'toaster'"),
        (["--room", "le-loi/a1", "--broker", "127.0.0.1"], "a broker's address looks like"),
        (["--room", "le-loi/a1", "--password-file", "/nowhere/at/all"], "No such file"),
        (["--room", "le-loi/a1", "--warm-up-s", "0"], "must be between"),
    ],
)
def test_wrong_options_are_said_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["simulated", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert expected in capsys.readouterr().err.splitlines()[-1]
