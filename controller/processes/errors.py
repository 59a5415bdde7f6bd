"""What goes wrong with child processes.

ControllerError
└── ChildFailed (RuntimeError)  it cannot be started, and trying again will not help
"""

from controller.errors import ControllerError


class ChildFailed(ControllerError, RuntimeError):
    pass
