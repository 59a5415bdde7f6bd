"""Own time: what counts is when our loop ran. The stalls are real: the loop does not turn while `time.sleep` runs."""

import asyncio
import json
import socket
import time
from datetime import UTC, datetime

import pytest
from paho.mqtt import publish

from controller.processes.own_time import LATE_S, STEP_S, own_time
from devices.device import CommandState
from devices.dialects.native import NativeDialect
from devices.hub import DeviceHub
from testing.mosquitto import Broker
from tests.controller.stage import running
from tests.devices.nativedevice import POWER, SCHOOL, command, native_device, until


async def test_a_stall_counts_as_one_step_at_most() -> None:
    async with own_time() as counted:
        before = counted.now()
        time.sleep(1.0)  # noqa: ASYNC251  # the stall
        assert counted.now() - before <= STEP_S + LATE_S


async def test_own_time_goes_on_while_the_loop_runs() -> None:
    async with own_time() as counted:
        before = counted.now()
        await counted.sleep(0.3)
        assert counted.now() - before >= 0.3


async def test_what_came_during_a_stall_is_read_before_its_sender_is_given_up() -> None:
    near, far = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=near)
    async with own_time() as counted:

        def stall() -> None:
            far.send(b"here\n")
            time.sleep(2.0)

        asyncio.get_running_loop().call_soon(stall)
        async with counted.timeout(1.0):  # `asyncio.timeout` would be over
            assert await reader.readline() == b"here\n"
    writer.close()
    far.close()


async def test_silence_in_own_time_ends_the_wait() -> None:
    async with own_time() as counted:
        with pytest.raises(TimeoutError):
            async with counted.timeout(0.2):
                await asyncio.Event().wait()


async def test_deadline_is_extended() -> None:
    async with own_time() as counted, counted.timeout(0.2) as deadline:
        before = counted.now()
        deadline.extend(60.0)
        await counted.sleep(0.4)
        assert counted.now() - before >= 0.4


async def test_catching_up_takes_time_only_after_a_stall() -> None:
    async with own_time() as counted:
        await counted.sleep(0.4)
        before = counted.now()
        await counted.caught_up()
        assert counted.now() - before < STEP_S
        asyncio.get_running_loop().call_soon(time.sleep, 0.6)
        await asyncio.sleep(0.2)  # over after the stall
        turned = asyncio.Event()
        asyncio.get_running_loop().call_later(STEP_S, turned.set)
        await counted.caught_up()
        assert turned.is_set()


async def test_command_that_was_confirmed_while_we_were_held_up_is_confirmed(broker: Broker) -> None:
    async with own_time() as counted:
        hub = DeviceHub(
            connection=broker.settings,
            dialects=[NativeDialect()],
            clock=lambda: datetime.now(UTC),
            caught_up=counted.caught_up,
        )
        hub.set_namespaces({SCHOOL})
        async with running(hub.run()), native_device(broker.settings) as device:
            await until(hub, lambda: bool(hub.devices()))
            hub.claim(device.id, "4a")
            await device.online()
            sending = asyncio.create_task(hub.send(command(device.id, POWER, "on", timeout_s=3.0)))
            await device.asked()
            state = json.dumps({"v": {"power": "on"}, "t": 0, "boot": 1, "seq": 1})

            def stall() -> None:
                topic = f"sc/1/{device.device.namespace}/{device.device.key}/state"
                publish.single(topic, state, qos=1, hostname="127.0.0.1", port=broker.port)
                time.sleep(3.5)  # past the command's deadline

            asyncio.get_running_loop().call_soon(stall)
            assert (await sending).state is CommandState.CONFIRMED
