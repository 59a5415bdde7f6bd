"""What goes wrong with pairing displays.

ControllerError
├── PairingCodeNotFound (LookupError)      no display shows this code now
└── PairingFull         (ConnectionError)  too many unpaired displays are waiting; trying again later helps
"""

from controller.errors import ControllerError


class PairingCodeNotFound(ControllerError, LookupError):
    pass


class PairingFull(ControllerError, ConnectionError):
    pass
