"""`nhipcau demo`: the whole house on one machine, with two simulated schools talking to each other."""

import asyncio
import signal
import socket
import sys
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter

from controller.app import Controller, running
from controller.config.model import (
    Address,
    BridgeConfig,
    Config,
    EmbeddedBrokerConfig,
    HttpConfig,
    LocalNodesConfig,
    MqttConfig,
    default_config,
)
from demo.cast import Classroom, Classrooms
from demo.companion import companion
from demo.schools import (
    ACTOR,
    SCHOOLS,
    furnish,
    keep_a_lesson_ready,
    login_links,
    plan_lesson,
    settle,
    technician_token,
)
from demo.simulated import DEVICES_PER_ROOM
from rooms.people.rights import OWNER


async def run_demo(data_dir: Path, listen: Address) -> None:
    """Serve until SIGINT or SIGTERM. Data stay in `data_dir`, so the next demo goes on where this one ended."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(demo_config(data_dir, listen)) as controller, AsyncExitStack() as stack:
        _say("Đang dựng hai trường mô phỏng … / setting up two simulated schools …")
        await settle(controller)
        for school in SCHOOLS:
            login = await controller.logins.issue_password(school.id, rights=OWNER, actor=ACTOR)
            password = _secret_file(data_dir / f"{school.id}.mqtt-password", login.password)
            await stack.enter_async_context(
                companion(
                    f"devices-{school.id}",
                    *("demo.simulated", "--school", school.id, "--room", school.hint),
                    *("--broker", f"mqtt://{Address(controller.mqtt.host, controller.mqtt.port)}"),
                    *("--username", login.username, "--password-file", str(password)),
                    directory=data_dir,
                    settings=login.password,
                )
            )
        for school in SCHOOLS:
            await furnish(controller, school, devices=DEVICES_PER_ROOM)
        await plan_lesson(controller)
        file = await _classrooms_file(controller, data_dir)
        await stack.enter_async_context(
            companion("classrooms", "demo.classroom", str(file), directory=data_dir, settings=file.read_text())
        )
        await _greet(controller)
        planning = asyncio.create_task(keep_a_lesson_ready(controller), name="keep a lesson ready")
        stack.push_async_callback(asyncio.wait, [planning])
        stack.callback(planning.cancel)
        await stop.wait()


def demo_config(data_dir: Path, listen: Address) -> Config:
    """Everything embedded, on free ports but for the pages' own."""
    return replace(
        default_config(data_dir),
        http=HttpConfig(listen=listen if _free(listen) else Address(listen.host, 0)),
        mqtt=MqttConfig(broker=EmbeddedBrokerConfig(listen=Address("127.0.0.1", 0))),
        bridge=BridgeConfig(nodes=LocalNodesConfig(udp_listen=Address("0.0.0.0", 0))),
    )


def _free(address: Address) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except OSError:
            return False
    return True


async def _classrooms_file(controller: Controller, data_dir: Path) -> Path:
    classrooms = [
        Classroom(
            room_id=school.room_id,
            token=await technician_token(controller, school),
            lines=(school.short_name, f"{school.room_name} · {school.province}"),
            colour=school.colour,
            hertz=school.hertz,
        )
        for school in SCHOOLS
    ]
    settings = Classrooms(url=controller.url, classrooms=classrooms)
    return _secret_file(data_dir / "classrooms.json", TypeAdapter(Classrooms).dump_json(settings).decode())


def _secret_file(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(content)
    return path


async def _greet(controller: Controller) -> None:
    _say(f"\nNhịp Cầu: {controller.url}\n")
    for school, person, link in await login_links(controller):
        _say(f"  {person.display_name} ({person.role}, {school.name})\n    {link}")
    _say("\nMở liên kết của Cô Lan và bấm Bắt đầu. / Open Cô Lan's link and tap Start. Ctrl+C ends the demo.")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
