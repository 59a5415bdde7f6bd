"""What goes wrong with devices.

DevicesError
├── DeviceNotFound       (LookupError)      no such device in the registry
├── PropertyNotFound     (LookupError)      the device has no such property
├── InvalidCommand       (ValueError)       the property cannot be set, or not to that value
├── DeviceNotClaimed     (PermissionError)  commands go only to devices that a technician put into a room
├── QueueFull            (RuntimeError)     too many commands are waiting for one device
├── InvalidPayload       (ValueError)       a message from the broker does not say what its topic promises
├── TooManyDevices       (RuntimeError)     the school has as many devices behind gateways as it may
├── BrokerLost           (ConnectionError)  the connection to the broker ended
├── DeviceUnreachable    (ConnectionError)  a device behind a gateway does not answer, or not in time
├── AuthenticationRefused (PermissionError) a device behind a gateway does not accept our password
└── BrokerRefused        (PermissionError)  the broker does not accept our name or password; not retried
"""


class DevicesError(Exception):
    """Base of all errors raised by `devices`."""


class DeviceNotFound(DevicesError, LookupError):
    pass


class PropertyNotFound(DevicesError, LookupError):
    pass


class InvalidCommand(DevicesError, ValueError):
    pass


class DeviceNotClaimed(DevicesError, PermissionError):
    pass


class QueueFull(DevicesError, RuntimeError):
    pass


class InvalidPayload(DevicesError, ValueError):
    pass


class BrokerLost(DevicesError, ConnectionError):
    pass


class BrokerRefused(DevicesError, PermissionError):
    pass


class TooManyDevices(DevicesError, RuntimeError):
    pass


class DeviceUnreachable(DevicesError, ConnectionError):
    pass


class AuthenticationRefused(DevicesError, PermissionError):
    pass
