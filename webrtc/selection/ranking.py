"""Who is large, small and heard for one subscriber. Rules without state; the bridge keeps the slots."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from webrtc.selection.active_speaker import Speech
from webrtc.shared.ids import ParticipantId
from webrtc.shared.policy import Mode, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Offering:
    """What a participant has to show and to say now. `slides`: a shared screen."""

    picture: bool = False
    slides: bool = False
    voice: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Each field has the best first, nobody twice, and never the viewer itself except in `slides`.

    `slides`: whose shared screen is on the stage, before any picture; all pictures are thumbnails then.
    `stage`: whose picture may be large: the first, or the next one where the subscriber cannot decode it.
    `thumbnails`: whose picture is small: as many from the front as there are slots. The rank decides who is left out,
    not which slot: a slot keeps its source while that is among them, so that no picture jumps.
    `voices`: who is heard: as many from the front as there are slots, kept in the same way. Nobody else is.
    """

    slides: ParticipantId | None = None
    stage: tuple[ParticipantId, ...] = ()
    thumbnails: tuple[ParticipantId, ...] = ()
    voices: tuple[ParticipantId, ...] = ()


NOTHING = Offering()


def rank(
    *,
    viewer: ParticipantId,
    present: Sequence[ParticipantId],
    offerings: Mapping[ParticipantId, Offering],
    policy: Policy,
    speech: Speech,
    own_slides: bool = False,
) -> Ranking:
    """The ranking for `viewer`. `present`: all who count, in the policy's order, then as they came.

    `own_slides`: whether the viewer may see its own shared screen, which comes from another of its machines.
    """
    others = {each: offerings.get(each, NOTHING) for each in present if each != viewer}
    by_size = _unique(_by_size(viewer, present, policy, speech))
    pictures = tuple(each for each in by_size if each in others and others[each].picture)
    shared = {each for each in present if offerings.get(each, NOTHING).slides and (own_slides or each != viewer)}
    slides = next((each for each in by_size if each in shared), None)
    if slides is None:
        thumbnails = pictures[1:]
    else:
        thumbnails = tuple(sorted(pictures, key=lambda each: each != slides))
    lock = eligible(policy)
    voices = tuple(
        each
        for each in _unique(_by_voice(present, policy, speech))
        if each in others and others[each].voice and (lock is None or each in lock)
    )
    return Ranking(slides=slides, stage=() if slides else pictures, thumbnails=thumbnails, voices=voices)


def eligible(policy: Policy) -> frozenset[ParticipantId] | None:
    """Who may speak under `policy`, None for all: for `Speakers.restrict` after each change of the policy."""
    if policy.mode is Mode.DISCUSSION or policy.host is None:
        return None
    return frozenset({policy.host} if policy.floor is None else {policy.host, policy.floor})


def permitted(offering: Offering, policy: Policy, id: ParticipantId) -> Offering:
    """The part of the offering of `id` that may be passed on."""
    return replace(
        offering,
        picture=offering.picture and id not in policy.dark,
        voice=offering.voice and id not in policy.muted,
    )


def _by_size(
    viewer: ParticipantId, present: Sequence[ParticipantId], policy: Policy, speech: Speech
) -> Iterable[ParticipantId | None]:
    yield policy.floor
    if policy.mode is not Mode.DISCUSSION or viewer == policy.floor:
        yield policy.host
    yield from speech.recent  # the first of them sees the one before: whom it answers
    yield policy.host
    yield from present


def _by_voice(present: Sequence[ParticipantId], policy: Policy, speech: Speech) -> Iterable[ParticipantId | None]:
    yield policy.floor
    yield speech.dominant
    yield policy.host
    yield from speech.loudest
    yield from present  # also those that send no levels


def _unique(participants: Iterable[ParticipantId | None]) -> list[ParticipantId]:
    return [each for each in dict.fromkeys(participants) if each is not None]
