"""What can change in the controller. `devices/changes.py` has the bus; topics of devices are beside it."""

from devices.changes import Topic


class ChangeKind(Topic):
    """The kinds of things whose changes are published; a change's `id` is the thing's."""

    LESSON = "lesson"
    DEVICE = "device"  # what pages are shown of it: it is kept in the database by now
    ROOM = "room"
    DISPLAY = "display"  # what the display should do
    CALL = "call"  # what the bridge makes of the display's call, and no more than that; id is the display
    ACCOUNT = "account"  # what somebody may do, or what lets them in: never for pages, they are closed or go on
    WATCH = "watch"  # which room a watching page's slots show; id is the lesson
