"""`python -m demo.simulated`: simulated classrooms as a process of their own, until SIGINT or SIGTERM."""

import argparse
import asyncio
import logging
import re
import signal
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from demo.simulated.faults import Fault
from demo.simulated.machine import Speeds
from demo.simulated.room import SimulatedRoom
from devices.mqtt.connection import MqttSettings


def main() -> None:
    rooms = _rooms(_parser().parse_args())
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with suppress(asyncio.CancelledError):
        asyncio.run(_run(rooms))


def _parser() -> argparse.ArgumentParser:
    speeds = Speeds()
    parser = argparse.ArgumentParser(prog="python -m demo.simulated", description=__doc__)
    parser.add_argument("--broker", default="mqtt://127.0.0.1:1883", help="mqtt://host:port or mqtts://host:port")
    parser.add_argument("--ca-file", type=Path, help="the authority of the broker's certificate")
    parser.add_argument("--username", default="")
    parser.add_argument("--password-file", type=Path, help="a file whose first line is the password")
    parser.add_argument("--school", default="", help="the school of rooms that are given without one")
    parser.add_argument("--room", action="append", required=True, metavar="[SCHOOL/]ROOM", help="can be repeated")
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="[SCHOOL/ROOM/]DEVICE=FAULT",
        help=f"can be repeated; faults: {', '.join(Fault)}",
    )
    for name in ("warm_up_s", "cool_down_s", "travel_s", "camera_move_s", "sensor_interval_s", "slow_s"):
        flag = f"--{name.replace('_', '-')}"
        parser.add_argument(flag, type=_seconds, default=getattr(speeds, name), help="default %(default)s")
    parser.add_argument("--birth-spread-s", type=_seconds, default=speeds.birth_spread_s, help="default %(default)s")
    return parser


def _seconds(text: str) -> float:
    value = float(text)
    if not 0.001 <= value <= 86_400:
        raise argparse.ArgumentTypeError("must be between 0.001 and 86400")
    return value


def _rooms(options: argparse.Namespace) -> list[SimulatedRoom]:
    """Exits with a message where an option makes no sense."""
    parser = _parser()
    try:
        broker = MqttSettings.parse(options.broker, ca_file=options.ca_file)
        if options.username:
            broker = replace(broker, username=options.username)
        if options.password_file is not None:
            lines = options.password_file.read_text(encoding="utf-8").splitlines()
            broker = replace(broker, password=lines[0].strip() if lines else "")
        speeds = Speeds(
            warm_up_s=options.warm_up_s,
            cool_down_s=options.cool_down_s,
            travel_s=options.travel_s,
            camera_move_s=options.camera_move_s,
            sensor_interval_s=options.sensor_interval_s,
            progress_s=min(Speeds().progress_s, options.travel_s / 4),
            slow_s=options.slow_s,
            birth_spread_s=options.birth_spread_s,
        )
        places = [_place(each, options.school) for each in options.room]
        return [
            SimulatedRoom(school, room, broker, speeds, faults=_faults(options.fault, f"{school}/{room}/"))
            for school, room in places
        ]
    except (ValueError, OSError) as error:
        parser.error(str(error))


def _place(text: str, default_school: str) -> tuple[str, str]:
    school, _, room = text.rpartition("/")
    school = school or default_school
    if not re.fullmatch(r"[a-z0-9-]{2,40}", school):
        raise ValueError(f"--room {text}: say the school as well, in a-z, 0-9 and -, here or with --school")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", room):
        raise ValueError(f"--room {text}: a room is letters, digits, - and _")
    return school, room


def _faults(texts: list[str], place: str) -> dict[str, Fault]:
    """Those that are for every room, or for the room at `place`."""
    faults = {}
    for text in texts:
        where, _, fault = text.partition("=")
        prefix, _, slug = where.rpartition("/")
        if not prefix or f"{prefix}/" == place:
            faults[slug] = Fault(fault)
    return faults


async def _run(rooms: list[SimulatedRoom]) -> None:
    this = asyncio.current_task()
    assert this is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, this.cancel)
    async with asyncio.TaskGroup() as tasks:
        for room in rooms:
            tasks.create_task(room.run(), name=f"simulated {room.school}/{room.room}")


if __name__ == "__main__":
    main()
