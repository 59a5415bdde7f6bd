"""What goes wrong with the embedded broker.

ControllerError
├── BrokerUnavailable  (ConnectionError)  it is not running now; it is being restarted
└── PasswordsElsewhere (RuntimeError)     the broker is not ours, so are its passwords
"""

from controller.errors import ControllerError


class BrokerUnavailable(ControllerError, ConnectionError):
    pass


class PasswordsElsewhere(ControllerError, RuntimeError):
    pass
