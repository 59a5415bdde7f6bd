"""What goes wrong with bridge nodes.

ControllerError
├── NodeUnavailable     (ConnectionError)  no bridge node can take or answer this now; it is being reached again
├── NodeNotFound        (LookupError)      no node has this name
├── NodeNameTaken       (RuntimeError)     a node of this name is there already
└── RegistrationRefused (PermissionError)  a node gave another secret than ours, or none may register
"""

from controller.errors import ControllerError


class NodeUnavailable(ControllerError, ConnectionError):
    pass


class NodeNotFound(ControllerError, LookupError):
    pass


class NodeNameTaken(ControllerError, RuntimeError):
    pass


class RegistrationRefused(ControllerError, PermissionError):
    pass
