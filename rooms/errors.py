"""What goes wrong with rooms, lessons and their storage.

RoomsError
├── InvalidValue             (ValueError)       a name, an id or a time is not what it may be
│   ├── InvalidAddress                          no IP address, or one in no network that gateways may use
│   ├── InvalidScene                            steps that refer to nothing, in a circle, or to another room's device
│   └── InvalidLesson                           no room, ends before it starts, sites that are not as planned
├── OrganisationNotFound     (LookupError)
├── RoomNotFound             (LookupError)
├── DisplayNotFound          (LookupError)
├── StoredDeviceNotFound     (LookupError)
├── SceneNotFound            (LookupError)
├── StepNotFound             (LookupError)      the scene has no such step
├── LessonNotFound           (LookupError)
├── SiteNotFound             (LookupError)      the room has no part in the lesson
├── DeviceOfAnotherSchool    (PermissionError)  a room takes only devices of its own school
├── AlreadyExists            (RuntimeError)     the id, or the room's name in its school, is taken
├── DeviceInUse              (RuntimeError)     another room has claimed the device, or it is not released yet
├── AddressInUse             (RuntimeError)     another device has this address
├── RoomInUse                (RuntimeError)     the room still has devices, or lessons that are not over
├── RoomBusy                 (RuntimeError)     the room is in another lesson at that time
├── InvalidState             (RuntimeError)     a lesson or an invitation cannot move like that
├── RemindedLately           (RuntimeError)     the room was asked again a moment ago
├── VersionConflict          (RuntimeError)     somebody changed it since the caller read it
├── StoreUnavailable         (ConnectionError)  the database cannot be opened
├── LeadershipLost           (RuntimeError)     another controller works on this database now
└── StoreTooNew              (RuntimeError)     a newer version of the program has used this database
"""


class RoomsError(Exception):
    """Base of all errors raised by `rooms`."""


class InvalidValue(RoomsError, ValueError):
    pass


class InvalidAddress(InvalidValue):
    pass


class InvalidScene(InvalidValue):
    pass


class InvalidLesson(InvalidValue):
    pass


class OrganisationNotFound(RoomsError, LookupError):
    pass


class RoomNotFound(RoomsError, LookupError):
    pass


class DisplayNotFound(RoomsError, LookupError):
    pass


class StoredDeviceNotFound(RoomsError, LookupError):
    pass


class SceneNotFound(RoomsError, LookupError):
    pass


class StepNotFound(RoomsError, LookupError):
    pass


class LessonNotFound(RoomsError, LookupError):
    pass


class SiteNotFound(RoomsError, LookupError):
    pass


class DeviceOfAnotherSchool(RoomsError, PermissionError):
    pass


class AlreadyExists(RoomsError, RuntimeError):
    pass


class DeviceInUse(RoomsError, RuntimeError):
    """`room_id`: the room that has the device."""

    def __init__(self, device_id: str, room_id: str) -> None:
        super().__init__(f"device {device_id} belongs to room {room_id}")
        self.device_id = device_id
        self.room_id = room_id


class AddressInUse(RoomsError, RuntimeError):
    pass


class RoomInUse(RoomsError, RuntimeError):
    pass


class RoomBusy(RoomsError, RuntimeError):
    """`lesson_id`: the lesson that has the room."""

    def __init__(self, room_id: str, lesson_id: str) -> None:
        super().__init__(f"room {room_id} is in lesson {lesson_id} at that time")
        self.room_id = room_id
        self.lesson_id = lesson_id


class InvalidState(RoomsError, RuntimeError):
    pass


class RemindedLately(RoomsError, RuntimeError):
    pass


class VersionConflict(RoomsError, RuntimeError):
    """`expected` is the version the caller read, `current` the one in the store."""

    def __init__(self, what: str, *, expected: int, current: int) -> None:
        super().__init__(f"{what} is at version {current}, not {expected}")
        self.expected = expected
        self.current = current


class StoreUnavailable(RoomsError, ConnectionError):
    pass


class LeadershipLost(RoomsError, RuntimeError):
    pass


class StoreTooNew(RoomsError, RuntimeError):
    pass
