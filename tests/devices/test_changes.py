import asyncio

from devices.changes import ChangeKind, Changes, DeviceChange
from devices.device import DeviceId

ONE, OTHER = DeviceId("d1"), DeviceId("d2")


async def test_a_slow_subscriber_gets_each_device_and_kind_once() -> None:
    changes = Changes()
    async with changes.subscribe() as subscription, asyncio.timeout(5):
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
