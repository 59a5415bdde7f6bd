"""Names of the things in the media plane."""

from typing import NewType

BridgeId = NewType("BridgeId", str)
ParticipantId = NewType("ParticipantId", str)  # a room, or "viewer-<account>"
ClientId = NewType("ClientId", str)  # the device of a participant, as a display
ConnectionId = NewType("ConnectionId", str)  # unguessable: it is also the path of the WHIP or WHEP resource
TrackId = NewType("TrackId", str)
