"""What goes wrong with operators' commands.

ControllerError
├── ControllerAway  (ConnectionError)  no controller runs here that the command could ask
├── OperatorRefused (PermissionError)  this user of the machine may not operate the controller
└── DutyChanged     (RuntimeError)     somebody else took the node back into use, or it started anew
"""

from controller.errors import ControllerError


class ControllerAway(ControllerError, ConnectionError):
    pass


class OperatorRefused(ControllerError, PermissionError):
    pass


class DutyChanged(ControllerError, RuntimeError):
    pass
