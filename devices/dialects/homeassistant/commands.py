"""Publishing a component's command: the topic, through the command template where there is one. Never retained."""

from devices.device import Value
from devices.dialects.homeassistant.fields import Fields
from devices.dialects.homeassistant.template import PLAIN_VALUE, Template
from devices.errors import InvalidCommand
from devices.mqtt.message import Publish


class Publisher:
    """One command topic of a component."""

    def __init__(self, topic: str, *, template: Template = PLAIN_VALUE, qos: int = 1) -> None:
        self.topic = topic
        self._template = template
        self._qos = qos

    @classmethod
    def of(
        cls, fields: Fields, topic_key: str = "command_topic", *template_keys: str, given: frozenset[str] = frozenset()
    ) -> "Publisher | None":
        """None where the component has no such topic. Raises `InvalidPayload`.

        `given`: the names beside `value` that each command gives its template.
        """
        topic = fields.topic(topic_key)
        if topic is None:
            return None
        return cls(topic, template=fields.template(*template_keys, given=given | {"value"}), qos=fields.qos())

    @classmethod
    def required(cls, fields: Fields, topic_key: str = "command_topic", *template_keys: str) -> "Publisher":
        """Raises `InvalidPayload`, also where the component has no such topic."""
        fields.required_topic(topic_key)
        publisher = cls.of(fields, topic_key, *template_keys)
        assert publisher is not None
        return publisher

    def __call__(self, value: Value, /, **names: Value) -> Publish:
        """`value` as the device takes it. Raises `InvalidCommand` where the template makes nothing of it."""
        text = self._template.render_value(value, **names)
        if text is None:
            raise InvalidCommand(f"the device's command template for {self.topic} makes nothing of {value!r}")
        return Publish(self.topic, text.encode(), self._qos)
