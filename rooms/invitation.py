"""Invitations: a lesson's host asks for a room, and the room's own school answers."""

from enum import StrEnum

from rooms.errors import InvalidState


class InvitationState(StrEnum):
    """Only an accepted room is used. Rooms of the host's own school are accepted from the beginning."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"  # by the room's school
    REVOKED = "revoked"  # by the host
    EXPIRED = "expired"  # the lesson was over before the school answered


INVITATION_MOVES: dict[InvitationState, frozenset[InvitationState]] = {
    InvitationState.PENDING: frozenset(set(InvitationState) - {InvitationState.PENDING}),
    InvitationState.ACCEPTED: frozenset({InvitationState.DECLINED, InvitationState.REVOKED}),
    InvitationState.DECLINED: frozenset({InvitationState.ACCEPTED, InvitationState.PENDING, InvitationState.REVOKED}),
    InvitationState.REVOKED: frozenset({InvitationState.PENDING}),
    InvitationState.EXPIRED: frozenset({InvitationState.PENDING}),  # the lesson is planned again
}


def checked_move(current: InvitationState, wanted: InvitationState) -> InvitationState:
    """`wanted`. Raises `InvalidState` where `INVITATION_MOVES` has no such step."""
    if wanted not in INVITATION_MOVES[current]:
        raise InvalidState(f"invitation: {current} -> {wanted}")
    return wanted
