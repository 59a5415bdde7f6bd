"""What goes wrong with live lessons.

ControllerError
└── RoomInUse (RuntimeError)  a live lesson rules the room
"""

from controller.errors import ControllerError


class RoomInUse(ControllerError, RuntimeError):
    pass
