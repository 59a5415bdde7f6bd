from dataclasses import dataclass, replace

from devices.device import Command, Device, DeviceId, Namespace, Report
from devices.mqtt.message import Message, Publish
from devices.readers import (
    DEVICE_TOPICS_LIMIT,
    SCHOOL_TOPICS_LIMIT,
    TOPIC_DEVICES_LIMIT,
    TOPIC_READINGS_LIMIT,
    Readers,
)
from tests.devices.nativedevice import described


@dataclass
class SomeDriver:
    """A dialect's driver as far as it matters here: which topics it reads and how much it looks for on each."""

    device: Device
    topics: tuple[str, ...]
    per_topic: int = 1
    acknowledges = False
    stale_after = None

    def readings(self, topic: str) -> int:
        return self.per_topic if topic in self.topics else 0

    def read(self, message: Message) -> tuple[Report, ...]:
        return ()

    def write(self, command: Command) -> tuple[Publish, ...]:
        return ()


def driver(name: str, *topics: str, school: str = "le-loi", per_topic: int = 1) -> SomeDriver:
    device = Device(
        id=DeviceId(f"{school}-{name}"), namespace=Namespace(school), dialect="some", key=name, name=name, properties=()
    )
    return SomeDriver(device, topics, per_topic)


def test_a_topic_has_its_readers_until_the_last_is_gone() -> None:
    readers, a, b = Readers(), driver("a", "x", "y"), driver("b", "x", per_topic=3)
    readers.attach(a)
    readers.attach(b)
    topic = readers.get("x")
    assert topic is not None
    assert (list(topic.drivers), topic.readings, topic.school) == ([a, b], 4, "le-loi")
    assert readers.detach(a) == ["y"]
    assert (topic.readings, readers.get("y")) == (3, None)
    assert readers.detach(b) == ["x"]
    assert readers.detach(b) == []


def test_too_many_devices_on_one_topic_are_refused_in_words() -> None:
    readers = Readers()
    for number in range(TOPIC_DEVICES_LIMIT):
        assert readers.refusal(driver(f"d{number}", "bridge/state")) == ""
        readers.attach(driver(f"d{number}", "bridge/state"))
    assert readers.refusal(driver("lamp", "bridge/state")) == "lamp: 500 devices read bridge/state already"
    assert readers.refusal(driver("d7", "bridge/state")) == ""  # it reads it already
    assert readers.refusal(driver("lamp", "elsewhere")) == ""


def test_too_many_readings_on_one_topic_are_refused_in_words() -> None:
    readers = Readers()
    readers.attach(driver("a", "x", per_topic=TOPIC_READINGS_LIMIT - 100))
    assert readers.refusal(driver("b", "x", per_topic=100)) == ""
    assert readers.refusal(driver("b", "x", per_topic=101)) == "b: 2001 values to be read from x, at most 2000"
    assert readers.refusal(driver("a", "x", per_topic=TOPIC_READINGS_LIMIT)) == ""  # in the place of what it had


def test_a_device_and_a_school_have_so_many_topics_and_no_more() -> None:
    readers = Readers()
    names = [f"t{number}" for number in range(DEVICE_TOPICS_LIMIT + 1)]
    assert readers.refusal(driver("a", *names)) == "a: topics that cannot be listened to"
    for wild in ("x/+", "#", "", "a\0"):
        assert readers.refusal(driver("a", wild)) == "a: topics that cannot be listened to"
    first, *others = (
        driver(f"d{number}", *(f"{number}/{name}" for name in names[1:]))
        for number in range(SCHOOL_TOPICS_LIMIT // DEVICE_TOPICS_LIMIT)
    )
    for each in (first, *others):
        readers.attach(each)
    assert readers.refusal(driver("lamp", "one-more")) == "lamp: the school's devices have 20000 topics already"
    assert readers.refusal(driver("lamp", "0/t1")) == ""  # that is listened to already
    assert readers.refusal(driver("lamp", "one-more", school="other")) == ""
    readers.detach(first)
    assert readers.refusal(driver("lamp", "one-more")) == ""


def test_the_devices_of_a_school_have_so_many_properties_in_all_and_no_more() -> None:
    readers = Readers()
    of = [
        replace(each, device=replace(each.device, properties=described().properties * 1000))
        for each in (driver(f"d{number}", "x") for number in range(7))
    ]
    for each in of[:6]:
        assert readers.refusal(each) == ""
        readers.attach(each)
    assert readers.refusal(of[6]) == "d6: the school's devices have 20000 properties already"
    assert readers.refusal(of[5]) == ""  # in the place of what it was
    readers.detach(of[0])
    assert readers.refusal(of[6]) == ""
