"""A device as it is kept over a restart: whether it can be, and its JSON."""

import math
import sys
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pydantic import TypeAdapter

from devices.device import Device, DeviceRecord, Namespace, Property, PropertyName, Reported, Value
from rooms import checks
from rooms.errors import InvalidValue


@dataclass(frozen=True, slots=True, kw_only=True)
class _KeptValue:
    """What of a `Reported` is kept."""

    value: Value
    received: datetime


SHARED_LIMIT, SHARED_LENGTH = 1024, 8192
"""Of properties that devices share: how many, and the longest JSON."""
_DEVICE = TypeAdapter(Device)
_PROPERTIES = TypeAdapter(tuple[Property, ...])
_KEPT_VALUES = TypeAdapter(dict[PropertyName, _KeptValue])


def check_record(record: DeviceRecord) -> None:
    """Raises `InvalidValue` for what the database would not give back as it was."""
    checks.text(record.discovery_topic, "discovery topic", at_most=65535)
    for name, each in record.reported.items():
        checks.utc(each.received, f"the time of {name}")
        if isinstance(each.value, float) and not math.isfinite(each.value):
            raise InvalidValue(f"{name}: {each.value} is no value")


def device_to_json(device: Device) -> dict[str, object]:
    """The fields of a device as a JSON object."""
    fields: dict[str, object] = _DEVICE.dump_python(device, mode="json")
    return fields


def device_from_json(fields: Mapping[str, object]) -> Device:
    """The device whose `device_to_json` this is. Many are described alike, and share their properties."""
    device = _DEVICE.validate_python({**fields, "properties": ()})
    properties = _PROPERTIES_READ.get(fields.get("properties", ()))
    return replace(device, properties=properties, namespace=Namespace(sys.intern(device.namespace)))


class _Shared:
    """Properties as they were read, by their JSON."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[Property, ...]] = OrderedDict()

    def get(self, raw: object) -> tuple[Property, ...]:
        said = repr(raw)
        known = self._known.get(said)
        if known is None:
            known = _PROPERTIES.validate_python(raw)
            if len(said) <= SHARED_LENGTH:
                self._known[said] = known
            if len(self._known) > SHARED_LIMIT:
                self._known.popitem(last=False)
        return known


_PROPERTIES_READ = _Shared()


def reported_to_json(reported: Mapping[PropertyName, Reported]) -> dict[str, object]:
    """`{property: {"value", "received"}}`."""
    kept = {name: _KeptValue(value=each.value, received=each.received) for name, each in reported.items()}
    values: dict[str, object] = _KEPT_VALUES.dump_python(kept, mode="json")
    return values


def reported_from_json(values: Mapping[str, object]) -> dict[PropertyName, Reported]:
    """The values whose `reported_to_json` this is; not fresh."""
    return {
        name: Reported(value=kept.value, received=kept.received.astimezone(UTC), fresh=False)
        for name, kept in _KEPT_VALUES.validate_python(values).items()
    }
