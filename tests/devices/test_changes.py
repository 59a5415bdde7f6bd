import asyncio

from devices.changes import TAKEN_AT_ONCE, ChangeKind, Changes, DeviceChange
from devices.device import DeviceId

ONE, OTHER = DeviceId("d1"), DeviceId("d2")


async def test_a_slow_subscriber_gets_each_device_and_kind_once() -> None:
    changes = Changes()
    async with changes.subscribe() as subscription, asyncio.timeout(20):
        for _ in range(1_000):
            changes.publish(ONE, ChangeKind.REPORTED, ChangeKind.AVAILABILITY)
        changes.publish(OTHER, ChangeKind.REPORTED)
        assert [await anext(subscription) for _ in range(3)] == [
            DeviceChange(ONE, ChangeKind.REPORTED),
            DeviceChange(ONE, ChangeKind.AVAILABILITY),
            DeviceChange(OTHER, ChangeKind.REPORTED),
        ]
        changes.publish(ONE, ChangeKind.REPORTED)
        assert await anext(subscription) == DeviceChange(ONE, ChangeKind.REPORTED)


async def test_subscribers_are_independent_and_leave() -> None:
    changes = Changes()
    async with changes.subscribe() as one:
        async with changes.subscribe() as other:
            changes.publish(ONE, ChangeKind.CLAIM)
            assert await anext(one) == await anext(other) == DeviceChange(ONE, ChangeKind.CLAIM)
        changes.publish(OTHER, ChangeKind.CLAIM)
        assert await anext(one) == DeviceChange(OTHER, ChangeKind.CLAIM)


async def test_who_asks_for_some_devices_hears_of_no_other() -> None:
    changes = Changes()
    async with changes.subscribe({ONE}) as one, changes.subscribe() as all:
        for _ in range(100):
            changes.publish(OTHER, ChangeKind.REPORTED)
        changes.publish(ONE, ChangeKind.CLAIM)
        assert await anext(one) == DeviceChange(ONE, ChangeKind.CLAIM)
        assert await anext(all) == DeviceChange(OTHER, ChangeKind.REPORTED)
    assert changes._of_device == {}


async def test_a_reader_of_much_lets_others_have_their_turn() -> None:
    changes = Changes()
    turns: list[int] = []

    async def read() -> None:
        async with changes.subscribe() as subscription:
            for number in range(20 * TAKEN_AT_ONCE):
                changes.publish(DeviceId(f"d{number}"), ChangeKind.REPORTED)
            for number in range(20 * TAKEN_AT_ONCE):
                await anext(subscription)
                turns.append(number)

    reading = asyncio.create_task(read())
    seen = set()
    while not reading.done():
        seen.add(len(turns))
        await asyncio.sleep(0)
    await reading
    assert len(seen) >= 20
