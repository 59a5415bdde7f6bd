import asyncio

from controller.changes import ChangeKind
from devices.changes import TAKEN_AT_ONCE, Change, Changes, Subscription, Topic
from devices.changes import ChangeKind as DeviceChangeKind


async def take(subscription: Subscription, count: int) -> list[Change]:
    taken = []
    async with asyncio.timeout(20):
        async for change in subscription:
            taken.append(change)
            if len(taken) == count:
                break
    return taken


async def test_each_thing_comes_once_in_the_order_of_its_first_change() -> None:
    changes = Changes()
    with changes.subscribe(*ChangeKind) as subscription:
        for id in ("a", "b", "a"):
            changes.publish(ChangeKind.LESSON, id)
        changes.publish(ChangeKind.ROOM, "a")
        assert await take(subscription, 3) == [
            Change(ChangeKind.LESSON, "a"),
            Change(ChangeKind.LESSON, "b"),
            Change(ChangeKind.ROOM, "a"),
        ]


async def test_change_while_it_is_looked_at_comes_again() -> None:
    changes = Changes()
    with changes.subscribe(*ChangeKind) as subscription:
        changes.publish(ChangeKind.LESSON, "a")
        seen = 0
        async with asyncio.timeout(20):
            async for _ in subscription:
                seen += 1
                if seen == 2:
                    break
                changes.publish(ChangeKind.LESSON, "a")


async def test_all_who_listen_are_told_and_nobody_after() -> None:
    changes = Changes()
    with changes.subscribe(*ChangeKind) as first:
        with changes.subscribe(*ChangeKind) as second:
            changes.publish(ChangeKind.ROOM, "a")
        changes.publish(ChangeKind.ROOM, "b")
        assert [each.id for each in await take(first, 2)] == ["a", "b"]
        assert [each.id for each in await take(second, 1)] == ["a"]


async def test_who_listens_to_one_thing_or_kind_hears_of_no_other() -> None:
    changes = Changes()
    with (
        changes.subscribe(Change(ChangeKind.CALL, "a"), Change(ChangeKind.ROOM, "a")) as one,
        changes.subscribe(ChangeKind.ROOM) as kind,
    ):
        for told in (ChangeKind.CALL, ChangeKind.ROOM):
            for id in ("b", "a"):
                changes.publish(told, id)
        assert await take(one, 2) == [Change(ChangeKind.CALL, "a"), Change(ChangeKind.ROOM, "a")]
        assert await take(kind, 2) == [Change(ChangeKind.ROOM, "b"), Change(ChangeKind.ROOM, "a")]


async def test_listener_too_far_behind_is_told_by_the_end() -> None:
    changes = Changes()
    with changes.subscribe(*ChangeKind, limit=3) as subscription:
        for id in "abca":
            changes.publish(ChangeKind.DEVICE, id)
        assert [each.id for each in await take(subscription, 3)] == ["a", "b", "c"]
        for id in "abcd":
            changes.publish(ChangeKind.DEVICE, id)
        async with asyncio.timeout(20):
            assert [each async for each in subscription] == []


async def test_a_reader_of_much_lets_others_have_their_turn() -> None:
    changes = Changes()
    turns: list[int] = []

    async def read() -> None:
        with changes.subscribe(DeviceChangeKind.REPORTED, limit=None) as subscription:
            for number in range(20 * TAKEN_AT_ONCE):
                changes.publish(DeviceChangeKind.REPORTED, f"d{number}")
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


async def test_what_comes_close_together_is_one_batch() -> None:
    changes = Changes()
    with changes.subscribe(ChangeKind.LESSON) as subscription:
        batches = subscription.batches(0.01)
        for batch in (["a", "b"], ["c"]):
            for id in (*batch, *batch):
                changes.publish(ChangeKind.LESSON, id)
            async with asyncio.timeout(5):
                assert [each.id for each in await anext(batches)] == batch


def test_no_two_topics_have_the_same_word() -> None:
    """They are told apart by their words: a change of one would be a change of the other."""
    words = [topic.value for kind in Topic.__subclasses__() for topic in kind]
    assert len(words) == len(set(words))
    assert len(Topic.__subclasses__()) == 2
