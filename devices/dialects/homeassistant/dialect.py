"""Home Assistant's MQTT discovery, as its consumer: device form and component form.

Source: home-assistant.io/integrations/mqtt, "MQTT discovery". What devices of this convention must know of us is in
`docs/mqtt.md`. A device is announced on `<prefix>/device/[<node>/]<object>/config`, a single component on
`<prefix>/<component>/[<node>/]<object>/config`; the prefix is the school's own, `sc/1/<school>/ha` unless configured.
"""

from collections.abc import Callable, Iterator

from devices.device import Namespace
from devices.dialects.base import Discovery, root
from devices.dialects.homeassistant.announcement import read_announcement
from devices.dialects.homeassistant.fields import Fields
from devices.dialects.homeassistant.inventory import Inventory
from devices.dialects.homeassistant.payload import Payload, parse_json
from devices.dialects.homeassistant.preparing import compiled_one_by_one, templates_in
from devices.dialects.homeassistant.topics import TopicRules
from devices.driver import Problem
from devices.errors import InvalidPayload
from devices.mqtt.message import Message, Publish


def own_prefix(namespace: Namespace) -> str:
    """A prefix inside the school's own part of the broker."""
    return f"{root(namespace)}ha"


class HomeAssistantDialect:
    """Home Assistant discovery for any number of schools.

    `prefix`: a school's discovery prefix, without a slash at its end.
    `free_topics`: devices may name any topic; only for a broker that serves one school.
    """

    name = "homeassistant"

    def __init__(self, *, prefix: Callable[[Namespace], str] = own_prefix, free_topics: bool = False) -> None:
        self._prefix = prefix
        self._free_topics = free_topics
        self._inventories: dict[Namespace, Inventory] = {}

    def discovery_filters(self, namespace: Namespace) -> tuple[str, ...]:
        return self._rules(namespace).filters()

    def birth(self, namespace: Namespace) -> tuple[Publish, ...]:
        """`online` on `<prefix>/status`: many devices announce themselves again only on that."""
        return (Publish(f"{self._rules(namespace).prefix}/status", b"online"),)

    def prepare(self, message: Message) -> Iterator[None]:
        """Compile the payload's templates, one at a time: `discover` then finds them."""
        return compiled_one_by_one(message.payload)

    def discover(self, namespace: Namespace, message: Message) -> Discovery:
        """What a discovery message says; never raises: what is wrong with a payload is in the problems."""
        rules = self._rules(namespace)
        if rules.config(message.topic) is None:
            return Discovery()
        inventory = self._inventories.setdefault(namespace, Inventory(self.name, namespace))
        try:
            return self._discover(rules, inventory, message)
        except InvalidPayload as error:
            return Discovery(problems=(Problem(message.topic, "invalid_payload", str(error)),))

    def _discover(self, rules: TopicRules, inventory: Inventory, message: Message) -> Discovery:
        topic, raw = message.topic, message.payload
        if not raw.strip():
            return inventory.withdraw(topic)
        if (known := inventory.unchanged(topic, raw)) is not None:
            return known
        parsed = parse_json(Payload(raw).text)
        templates_in(parsed)
        fields = Fields.of(parsed, rules)
        if fields.flag("migrate_discovery"):
            return inventory.migrate(topic)
        return inventory.announce(topic, raw, read_announcement(rules, topic, fields))

    def _rules(self, namespace: Namespace) -> TopicRules:
        return TopicRules(namespace, self._prefix(namespace), self._free_topics)
