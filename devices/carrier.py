"""What takes commands to devices: the broker, or the connections of the gateways."""

from typing import Protocol

from devices.device import Command, DeviceId
from devices.registry import Entry


class Carrier(Protocol):
    """Decides when a command can go out and sends it; whether there is one, it asks the `Outbox`."""

    def wake(self, id: DeviceId) -> None:
        """The device may have a command that can go out now. Returns at once."""

    def held(self, entry: Entry) -> str:
        """Why no command goes to the device now, as a result's code; "" where they go."""


class Outbox(Protocol):
    """Commands that wait. Each that is taken ends in one of `sent`, `lost` and `failed`."""

    def take(self, id: DeviceId) -> Command | None:
        """The device's next command, if it has one that can go out now."""

    def ready(self, id: DeviceId) -> bool:
        """Whether the device has a command that wants to go out, even if it cannot now."""

    def sent(self, command: Command) -> None:
        """It has been handed over: the broker has it, or the device itself."""

    def lost(self, command: Command) -> None:
        """The connection ended before that was certain: the device may have it, or not."""

    def failed(self, command: Command, code: str) -> None:
        """It cannot be carried out, for a reason on our side."""
