import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from devices.errors import BrokerLost
from devices.mqtt.connection import MqttSettings, connect
from devices.mqtt.message import Message, Publish
from devices.mqtt.reconnecting import Connected, Disconnected, Event, ReconnectingMqtt, back_off_s
from testing.mosquitto import Broker


class Listener:
    """Runs a reconnecting connection and hands its events on."""

    def __init__(self, mqtt: ReconnectingMqtt) -> None:
        self.mqtt = mqtt
        self._events: asyncio.Queue[Event] = asyncio.Queue()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.mqtt.keep_subscribed())
            async for event in self.mqtt.events():
                self._events.put_nowait(event)

    async def event(self) -> Event:
        async with asyncio.timeout(10):
            return await self._events.get()

    async def topics(self) -> list[tuple[str, bytes]]:
        event = await self.event()
        assert isinstance(event, list)
        return [(each.topic, each.payload) for each in event if isinstance(each, Message)]


@asynccontextmanager
async def listening(settings: MqttSettings, *, waits: asyncio.Event | None = None) -> AsyncIterator[Listener]:
    """`waits` is set when a connection attempt has failed."""

    def chance() -> float:
        if waits is not None:
            waits.set()
        return 0.0

    mqtt = ReconnectingMqtt(settings, clock=lambda: datetime.now(UTC), chance=chance, refused_delay_s=0.2)
    listener = Listener(mqtt)
    running = asyncio.create_task(listener.run())
    try:
        yield listener
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_it_comes_back_with_its_subscriptions_and_says_so_once(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(broker.settings) as listener:
        listener.mqtt.subscribe(f"t/{number}" for number in range(1_000))
        assert await listener.event() == Connected()
        await listener.mqtt.settled()
        listener.mqtt.unsubscribe(["t/1"])
        await listener.mqtt.settled()
        await broker.restart()
        assert await listener.event() == Disconnected()
        assert await listener.event() == Connected()
        await listener.mqtt.settled()
        async with connect(broker.settings) as other:
            await other.publish(Publish("t/1", b"not heard"))
            await other.publish(Publish("t/999", b"heard"))
        assert await listener.topics() == [("t/999", b"heard")]
    assert [each.levelname for each in caplog.records if each.levelname != "DEBUG"] == ["WARNING"]


async def test_publishing_while_the_broker_is_away_is_refused(broker: Broker) -> None:
    async with listening(broker.settings) as listener:
        with pytest.raises(BrokerLost):
            await listener.mqtt.publish(Publish("a", b"1"))
        assert await listener.event() == Connected()
        await listener.mqtt.publish(Publish("a", b"1"))


async def test_a_wrong_password_is_an_error_once_and_is_tried_again_slowly(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The broker is started anew without passwords, as somebody who corrects the password would."""
    (tmp_path / "passwords").write_text("")
    broker = Broker(tmp_path, extra=f"allow_anonymous false\npassword_file {tmp_path / 'passwords'}\n")
    await broker.start()
    try:
        waits = asyncio.Event()
        settings = replace(broker.settings, username="le-loi", password="wr0ng")
        async with listening(settings, waits=waits) as listener:
            async with asyncio.timeout(20):
                await waits.wait()
            assert listener.mqtt.problem == "broker_refused"
            await broker.stop()
            broker.extra = ""
            await broker.start()
            assert await listener.event() == Connected()
            assert listener.mqtt.problem == ""
    finally:
        await broker.stop()
    assert [each.levelname for each in caplog.records].count("ERROR") == 1
    assert "wr0ng" not in caplog.text


def test_back_off_grows_is_capped_and_random() -> None:
    assert [back_off_s(failures, 1.0) for failures in (1, 2, 3, 8, 1000)] == [0.25, 0.5, 1.0, 30.0, 30.0]
    assert back_off_s(2, 0.0) == 0.25
