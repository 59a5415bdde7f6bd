"""What a school sends that thinks of nobody else: the floods of `bench.share`, from a process of its own.

`python -m bench.share_flood PORT KIND`: announces what the flood needs, prints "ready", waits for a line, floods until
its input ends, prints how many messages it sent.
"""

import asyncio
import itertools
import json
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from devices.device import Namespace
from devices.mqtt.connection import MqttSettings, connect
from devices.mqtt.message import Publish

SCHOOL = Namespace("loud")
BASE = f"sc/1/{SCHOOL}"
EXPENSIVE = "{% set a = value|title %}" * 17 + "{{ a }}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood:
    """`announced` once and retained; then `sent`, in turns, `per_s` messages a second (not retained)."""

    per_s: float
    sent: tuple[Publish, ...]
    announced: tuple[Publish, ...] = ()


def sensors(device: str, count: int, topic: str, template: str = "{{ value }}") -> Publish:
    """One device in Home Assistant's form whose `count` sensors read one topic."""
    components = {
        f"c{number}": {"p": "sensor", "unique_id": f"{device}-{number}", "stat_t": topic, "val_tpl": template}
        for number in range(count)
    }
    payload = {"dev": {"ids": [device]}, "o": {"name": "flood"}, "cmps": components}
    return Publish(f"{BASE}/ha/device/{device}/config", json.dumps(payload).encode())


def lamp(number: int, name: str = "lamp") -> Publish:
    """A device that speaks as it should."""
    power = {"capability": "power", "kind": "enum", "options": ["off", "on"], "settable": True}
    payload = {"format": 1, "name": name, "properties": {"power": power}}
    return Publish(f"{BASE}/r{number}/lamp/desc", json.dumps(payload).encode())


def compiling() -> Iterator[Publish]:
    """Announcements full of templates that nobody has compiled yet."""
    for turn in range(40):
        template = "".join(f"{{% set a{n} = value|title ~ {turn} %}}" for n in range(100))
        components = {
            f"c{n}": {"p": "sensor", "unique_id": f"c{n}", "stat_t": f"{BASE}/x", "val_tpl": f"{{{{ {n} }}}}{template}"}
            for n in range(60)
        }
        payload = {"dev": {"ids": ["compiling"]}, "o": {"name": "flood"}, "cmps": components}
        yield Publish(f"{BASE}/ha/device/compiling/config", json.dumps(payload).encode())


def _states(devices: int, payload: bytes) -> tuple[Publish, ...]:
    return tuple(Publish(f"{BASE}/r{number}/lamp/state", payload) for number in range(devices))


@cache
def floods() -> dict[str, Flood]:
    """By name."""
    one, lamps = (Publish(f"{BASE}/x", b"20.5"),), tuple(lamp(number) for number in range(1000))
    many = sensors("many", 200, f"{BASE}/x", "{{ value|float }}")
    switching = [json.dumps({"v": {"power": power}, "t": 0, "seq": 0}).encode() for power in ("on", "off")]
    return {
        "none": Flood(per_s=0, sent=()),
        "templates": Flood(
            per_s=5,
            sent=(Publish(f"{BASE}/x", b"lorem " * 10_000),),
            announced=tuple(sensors(f"d{number}", 100, f"{BASE}/x", EXPENSIVE) for number in range(20)),
        ),
        "readers": Flood(per_s=2_000, sent=one, announced=(many,)),
        "rate": Flood(per_s=50_000, sent=one, announced=(sensors("one", 1, f"{BASE}/x"),)),
        "large": Flood(
            per_s=200, sent=(Publish(f"{BASE}/x", b"x" * 900_000),), announced=(sensors("one", 1, f"{BASE}/x"),)
        ),
        "values": Flood(
            per_s=3_000, sent=tuple(each for one in switching for each in _states(1000, one)), announced=lamps
        ),
        "announcements": Flood(per_s=1_000, sent=tuple(lamp(number) for number in range(6_000))),
        "renaming": Flood(
            per_s=1_000, sent=tuple(lamp(number, f"lamp {turn}") for turn in range(2) for number in range(1000))
        ),
        "compiling": Flood(per_s=10, sent=tuple(compiling())),
        "garbage": Flood(per_s=2_000, sent=_states(1000, b"{"), announced=lamps),
        "topics": Flood(
            per_s=20,
            sent=tuple(
                Publish(
                    f"{BASE}/ha/device/t{number}/config",
                    json.dumps(
                        {
                            "dev": {"ids": [f"t{number}"]},
                            "o": {"name": "flood"},
                            "cmps": {
                                f"c{n}": {"p": "sensor", "unique_id": f"{number}-{n}", "stat_t": f"{BASE}/{number}/{n}"}
                                for n in range(199)
                            },
                        }
                    ).encode(),
                )
                for number in range(1_000)
            ),
        ),
    }


def packets(messages: Iterable[Publish]) -> list[bytes]:
    """PUBLISH at QoS 0 (MQTT 3.1.1 3.3), ready to be written."""
    return [_packet(0x30, _text(each.topic) + each.payload) for each in messages]


def _packet(head: int, body: bytes) -> bytes:
    length, left = b"", len(body)
    while True:
        left, digit = divmod(left, 128)
        length += bytes([digit | 0x80 if left else digit])
        if not left:
            return bytes([head]) + length + body


def _text(text: str) -> bytes:
    return struct.pack("!H", len(text.encode())) + text.encode()


def _send(port: int, flood: Flood, ended: threading.Event) -> int:
    """Send by a plain socket, a batch each 10 ms: a client in Python would be the slower side."""
    waiting = itertools.cycle(packets(flood.sent))
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(_packet(0x10, _text("MQTT") + b"\x04\x02\x00\x00" + _text("flood")))
        connection.recv(4)
        sent, start = 0, time.monotonic()
        while not ended.is_set():
            due = int((time.monotonic() - start) * flood.per_s) - sent
            batch = b"".join(itertools.islice(waiting, max(0, min(due, 2_000))))
            connection.sendall(batch)
            sent += max(0, min(due, 2_000))
            time.sleep(0.01)
        connection.sendall(b"\xe0\x00")
    return sent


async def _announce(port: int, messages: Iterable[Publish]) -> None:
    async with connect(MqttSettings(host="127.0.0.1", port=port)) as mqtt:
        for each in messages:
            await mqtt.publish(each, retain=True)


def _wait(ended: threading.Event) -> None:
    sys.stdin.readline()
    ended.set()


def main(port: int, kind: str) -> None:
    flood, ended = floods()[kind], threading.Event()
    asyncio.run(_announce(port, flood.announced))
    print("ready", flush=True)
    sys.stdin.readline()
    if not flood.sent:
        sys.stdin.readline()
        print(0, flush=True)
        return
    threading.Thread(target=_wait, args=(ended,), daemon=True).start()
    print(_send(port, flood, ended), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
