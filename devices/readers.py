"""Which drivers read which topic, and how many there may be: what one message can cost is settled at announcement."""

from collections import Counter
from dataclasses import dataclass

from devices.device import DeviceId, Namespace
from devices.driver import Driver, GatewayDriver, MqttDriver

DEVICE_TOPICS_LIMIT = 200
"""Of one device."""
SCHOOL_TOPICS_LIMIT = 20_000
"""Of one school: each is a subscription at the broker."""
SCHOOL_PROPERTIES_LIMIT = 20_000
"""Of one school, over all its devices: what it may make us remember."""
TOPIC_DEVICES_LIMIT = 500
"""Of one topic: a gateway's own state is the availability of all that hangs on it."""
TOPIC_READINGS_LIMIT = 2_000
"""Of one topic, over all its devices: each runs a template on each message."""


@dataclass(slots=True)
class Topic:
    """Those who read one topic. A topic is of one school."""

    school: Namespace
    drivers: tuple[MqttDriver, ...] = ()  # most topics have one
    readings: int = 0
    dear: bool = False  # a message on it has taken long


class Readers:
    """Drivers by topic."""

    def __init__(self) -> None:
        self._attached: dict[DeviceId, Driver] = {}
        self._topics: dict[str, Topic] = {}
        self._topics_of: Counter[Namespace] = Counter()
        self._properties_of: Counter[Namespace] = Counter()

    def get(self, topic: str) -> Topic | None:
        return self._topics.get(topic)

    def refusal(self, driver: Driver) -> str:
        """Why the driver cannot be attached in the place of the device's present one, in words for its technician; ""
        where it can."""
        device = driver.device
        before = self._attached.get(device.id)
        had = len(before.device.properties) if before is not None else 0
        if self._properties_of[device.namespace] + len(device.properties) - had > SCHOOL_PROPERTIES_LIMIT:
            return f"{device.name}: the school's devices have {SCHOOL_PROPERTIES_LIMIT} properties already"
        return "" if isinstance(driver, GatewayDriver) else self._topics_refusal(driver)

    def _topics_refusal(self, driver: MqttDriver) -> str:
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
                here = next((each for each in topic.drivers if each.device.id == device.id), None)
                readings += topic.readings - (here.readings(name) if here is not None else 0)
                if here is None and len(topic.drivers) >= TOPIC_DEVICES_LIMIT:
                    return f"{device.name}: {TOPIC_DEVICES_LIMIT} devices read {name} already"
            if readings > TOPIC_READINGS_LIMIT:
                return f"{device.name}: {readings} values to be read from {name}, at most {TOPIC_READINGS_LIMIT}"
        if self._topics_of[device.namespace] + new > SCHOOL_TOPICS_LIMIT:
            return f"{device.name}: the school's devices have {SCHOOL_TOPICS_LIMIT} topics already"
        return ""

    def attach(self, driver: Driver) -> None:
        """Have the driver read its topics. It reads none yet (`detach`), and there is no `refusal`."""
        school = driver.device.namespace
        self._attached[driver.device.id] = driver
        self._properties_of[school] += len(driver.device.properties)
        if isinstance(driver, GatewayDriver):
            return
        for name in driver.topics:
            topic = self._topics.get(name)
            if topic is None:
                topic = self._topics[name] = Topic(school)
                self._topics_of[school] += 1
            topic.drivers = (*topic.drivers, driver)
            topic.readings += driver.readings(name)

    def detach(self, driver: Driver) -> list[str]:
        """Have the driver read no more; the topics that nobody reads now."""
        if self._attached.get(driver.device.id) is not driver:
            return []
        del self._attached[driver.device.id]
        self._properties_of[driver.device.namespace] -= len(driver.device.properties)
        if isinstance(driver, GatewayDriver):
            return []
        unused = []
        for name in driver.topics:
            topic = self._topics[name]
            topic.drivers = tuple(each for each in topic.drivers if each is not driver)
            topic.readings -= driver.readings(name)
            if not topic.drivers:
                del self._topics[name]
                self._topics_of[topic.school] -= 1
                unused.append(name)
        return unused


def _wild(topic: str) -> bool:
    return not topic or "+" in topic or "#" in topic or "\0" in topic
