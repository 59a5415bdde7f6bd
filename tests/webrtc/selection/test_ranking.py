"""Who is large, small and heard, by table. "h" is the host room; a dash is nobody."""

from collections.abc import Mapping

import pytest

from webrtc.selection.active_speaker import Speech
from webrtc.selection.ranking import Offering, Ranking, eligible, rank
from webrtc.shared.ids import ParticipantId
from webrtc.shared.policy import Mode, Policy

ROOM = Offering(picture=True, voice=True)
ROOMS = "habcd"


def ids(names: str) -> tuple[ParticipantId, ...]:
    return tuple(ParticipantId(name) for name in names)


def one(name: str) -> ParticipantId | None:
    return None if name == "-" else ParticipantId(name)


def seen(
    viewer: str,
    mode: Mode,
    *,
    floor: str = "-",
    rooms: str = ROOMS,
    recent: str = "",
    dominant: str = "-",
    loudest: str = "",
    offerings: Mapping[str, Offering] | None = None,
    own_slides: bool = False,
) -> Ranking:
    offered = {ParticipantId(name): ROOM for name in rooms}
    offered |= {ParticipantId(name): each for name, each in (offerings or {}).items()}
    return rank(
        viewer=ParticipantId(viewer),
        present=(*ids(rooms), ParticipantId("viewer-1")),
        offerings=offered,
        policy=Policy(order=ids(ROOMS), mode=mode, floor=one(floor)),
        speech=Speech(dominant=one(dominant), recent=ids(recent), loudest=ids(loudest)),
        own_slides=own_slides,
    )


@pytest.mark.parametrize(
    ("mode", "floor", "viewer", "recent", "stage", "voices"),
    [
        # the teacher speaks: the host to all; the host sees who spoke last, or the first guest
        (Mode.TEACHER, "-", "a", "", "hbcd", "h"),
        (Mode.TEACHER, "-", "a", "ba", "hbcd", "h"),
        (Mode.TEACHER, "-", "h", "", "abcd", ""),
        (Mode.TEACHER, "-", "h", "hca", "cabd", ""),
        (Mode.TEACHER, "-", "viewer-1", "", "habcd", "h"),
        # a room has the floor: large for all others and heard, in every mode; itself, it sees the host
        (Mode.TEACHER, "b", "a", "", "bhcd", "bh"),
        (Mode.CALLED, "b", "a", "ca", "bhcd", "bh"),
        (Mode.CALLED, "b", "h", "ca", "bcad", "b"),
        (Mode.CALLED, "b", "b", "ca", "hcad", "h"),
        (Mode.CALLED, "b", "viewer-1", "", "bhacd", "bh"),
        (Mode.DISCUSSION, "b", "b", "ca", "hcad", "chad"),
        (Mode.DISCUSSION, "b", "a", "cb", "bchd", "bchd"),
        # the host may hold it as well
        (Mode.CALLED, "h", "a", "", "hbcd", "h"),
        (Mode.CALLED, "h", "h", "b", "bacd", ""),
        # nobody was called yet
        (Mode.CALLED, "-", "a", "", "hbcd", "h"),
        (Mode.CALLED, "-", "h", "", "abcd", ""),
        # a discussion: who speaks is large; it sees whom it answers
        (Mode.DISCUSSION, "-", "a", "cba", "cbhd", "chbd"),
        (Mode.DISCUSSION, "-", "c", "cba", "bahd", "hbad"),
        (Mode.DISCUSSION, "-", "h", "cba", "cbad", "cbad"),
        (Mode.DISCUSSION, "-", "a", "", "hbcd", "hbcd"),
        (Mode.DISCUSSION, "-", "h", "", "abcd", "abcd"),
        (Mode.DISCUSSION, "-", "h", "h", "abcd", "abcd"),
        (Mode.DISCUSSION, "-", "viewer-1", "ca", "cahbd", "chabd"),
    ],
)
def test_stage_and_voices_follow_mode_and_floor(
    mode: Mode, floor: str, viewer: str, recent: str, stage: str, voices: str
) -> None:
    seen_by = seen(viewer, mode, floor=floor, recent=recent, dominant=recent[:1] or "-", loudest=recent)
    assert seen_by == Ranking(stage=ids(stage), thumbnails=ids(stage[1:]), voices=ids(voices))


def test_voices_are_ranked_by_loudness_after_floor_dominant_and_host() -> None:
    assert seen("a", Mode.DISCUSSION, dominant="d", loudest="dcbah").voices == ids("dhcb")
    assert seen("d", Mode.DISCUSSION, dominant="d", loudest="dcbah").voices == ids("hcba")
    assert seen("a", Mode.DISCUSSION, floor="b", dominant="d", loudest="dcbah").voices == ids("bdhc")


def test_a_speaker_who_is_not_held_yet_is_heard_and_not_large() -> None:
    at_once = seen("a", Mode.DISCUSSION, dominant="d", recent="c", loudest="dc")
    assert (at_once.stage[0], at_once.voices[0]) == (*ids("c"), *ids("d"))


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("floor", ["-", *ROOMS])
@pytest.mark.parametrize("viewer", ROOMS)
def test_a_room_never_sees_or_hears_itself(mode: Mode, floor: str, viewer: str) -> None:
    slides = {name: Offering(picture=True, slides=True, voice=True) for name in ROOMS}
    for offerings in ({}, slides):
        got = seen(viewer, mode, floor=floor, recent=ROOMS, dominant=viewer, loudest=ROOMS, offerings=offerings)
        assert ParticipantId(viewer) not in (got.slides, *got.stage, *got.thumbnails, *got.voices)
        assert {*got.stage, *got.thumbnails} == {*ids(ROOMS)} - {viewer}


def test_slides_take_the_stage_and_their_presenter_is_the_first_thumbnail() -> None:
    sharing = {"c": Offering(picture=True, slides=True, voice=True)}
    assert seen("a", Mode.TEACHER, offerings=sharing) == Ranking(
        slides=ParticipantId("c"), thumbnails=ids("chbd"), voices=ids("h")
    )
    assert seen("c", Mode.TEACHER, offerings=sharing) == Ranking(
        stage=ids("habd"), thumbnails=ids("abd"), voices=ids("h")
    )
    assert seen("viewer-1", Mode.TEACHER, offerings=sharing).thumbnails == ids("chabd")


def test_presenter_whose_slides_come_of_another_machine_sees_them_too() -> None:
    sharing = {"c": Offering(picture=True, slides=True, voice=True)}
    shown = seen("c", Mode.TEACHER, offerings=sharing, own_slides=True)
    assert shown == Ranking(slides=ParticipantId("c"), thumbnails=ids("habd"), voices=ids("h"))
    others = sharing | {"h": Offering(picture=True, slides=True, voice=True)}
    assert seen("c", Mode.TEACHER, offerings=others, own_slides=True).slides == "h"


def test_of_several_slides_those_of_the_larger_one_are_shown() -> None:
    sharing = {name: Offering(picture=True, slides=True, voice=True) for name in "hbc"}
    assert seen("a", Mode.TEACHER, offerings=sharing).slides == "h"
    assert seen("h", Mode.TEACHER, offerings=sharing).slides == "b"
    assert seen("a", Mode.TEACHER, floor="c", offerings=sharing).slides == "c"
    assert seen("a", Mode.DISCUSSION, recent="b", offerings=sharing).slides == "b"


def test_who_has_no_picture_or_voice_is_passed_over() -> None:
    some = {"h": Offering(voice=True), "b": Offering(picture=True), "c": Offering(slides=True)}
    got = seen("a", Mode.DISCUSSION, recent="hb", loudest="hb", offerings=some)
    assert got == Ranking(slides=ParticipantId("c"), thumbnails=ids("bd"), voices=ids("hd"))


def test_two_rooms_see_and_hear_each_other() -> None:
    for mode in (Mode.DISCUSSION, Mode.CALLED):
        floor = "a" if mode is Mode.CALLED else "-"
        assert seen("h", mode, rooms="ha", floor=floor) == Ranking(stage=ids("a"), voices=ids("a"))
        assert seen("a", mode, rooms="ha", floor=floor) == Ranking(stage=ids("h"), voices=ids("h"))


def test_who_is_not_here_is_not_shown() -> None:
    got = seen("a", Mode.CALLED, rooms="ab", floor="d", recent="dc", dominant="d", loudest="dc")
    assert got == Ranking(stage=ids("b"))


def test_without_a_host_all_are_heard() -> None:
    policy = Policy(mode=Mode.TEACHER)
    got = rank(
        viewer=ParticipantId("a"),
        present=ids("ab"),
        offerings=dict.fromkeys(ids("ab"), ROOM),
        policy=policy,
        speech=Speech(),
    )
    assert got == Ranking(stage=ids("b"), voices=ids("b"))


@pytest.mark.parametrize(
    ("mode", "floor", "who"),
    [
        (Mode.TEACHER, "-", "h"),
        (Mode.TEACHER, "b", "hb"),
        (Mode.CALLED, "b", "hb"),
        (Mode.DISCUSSION, "b", None),
    ],
)
def test_who_may_be_dominant(mode: Mode, floor: str, who: str | None) -> None:
    expected = None if who is None else frozenset(ids(who))
    assert eligible(Policy(order=ids(ROOMS), mode=mode, floor=one(floor))) == expected
