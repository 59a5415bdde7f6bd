"""Which drivers read which topic, and how many there may be: what one message can cost is settled at announcement."""

from collections import Counter
from dataclasses import dataclass, field

from devices.device import DeviceId, Namespace
from devices.dialects.base import Driver

DEVICE_TOPICS_LIMIT = 200
"""Of one device."""
SCHOOL_TOPICS_LIMIT = 20_000
"""Of one school: each is a subscription at the broker."""
TOPIC_DEVICES_LIMIT = 500
"""Of one topic: a gateway's own state is the availability of all that hangs on it."""
TOPIC_READINGS_LIMIT = 2_000
"""Of one topic, over all its devices: each runs a template on each message."""


@dataclass(slots=True)
class Topic:
    """Those who read one topic. A topic is of one school."""

    school: Namespace
    drivers: dict[DeviceId, Driver] = field(default_factory=dict)
    readings: int = 0


class Readers:
    """Drivers by topic."""

    def __init__(self) -> None:
        self._topics: dict[str, Topic] = {}
        self._per_school: Counter[Namespace] = Counter()

    def get(self, topic: str) -> Topic | None:
        return self._topics.get(topic)

    def refusal(self, driver: Driver) -> str:
        """Why the driver cannot be attached, in words for its technician; "" where it can."""
        device = driver.device
        if len(driver.topics) > DEVICE_TOPICS_LIMIT or any(map(_wild, driver.topics)):
            return f"{device.name}: topics that cannot be listened to"
        new = 0
        for name in driver.topics:
            topic = self._topics.get(name)
            readings = driver.readings(name)
            if topic is None:
                new += 1
            else:
                before = topic.drivers.get(device.id)
                readings += topic.readings - (before.readings(name) if before else 0)
                if before is None and len(topic.drivers) >= TOPIC_DEVICES_LIMIT:
                    return f"{device.name}: {TOPIC_DEVICES_LIMIT} devices read {name} already"
            if readings > TOPIC_READINGS_LIMIT:
                return f"{device.name}: {readings} values to be read from {name}, at most {TOPIC_READINGS_LIMIT}"
        if self._per_school[device.namespace] + new > SCHOOL_TOPICS_LIMIT:
            return f"{device.name}: the school's devices have {SCHOOL_TOPICS_LIMIT} topics already"
        return ""

    def attach(self, driver: Driver) -> None:
        """Have the driver read its topics. It reads none yet (`detach`), and there is no `refusal`."""
        school = driver.device.namespace
        for name in driver.topics:
            topic = self._topics.get(name)
            if topic is None:
                topic = self._topics[name] = Topic(school)
                self._per_school[school] += 1
            topic.drivers[driver.device.id] = driver
            topic.readings += driver.readings(name)

    def detach(self, driver: Driver) -> list[str]:
        """Have the driver read no more; the topics that nobody reads now."""
        unused = []
        for name in driver.topics:
            topic = self._topics.get(name)
            if topic is None or topic.drivers.pop(driver.device.id, None) is None:
                continue
            topic.readings -= driver.readings(name)
            if not topic.drivers:
                del self._topics[name]
                self._per_school[topic.school] -= 1
                unused.append(name)
        return unused


def _wild(topic: str) -> bool:
    return not topic or "+" in topic or "#" in topic or "\0" in topic
