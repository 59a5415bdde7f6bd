"""A picture that cannot do with less than the link is known to take: shown at once, given up at the first sign."""

import pytest

from tests.webrtc.estimation.test_estimate import Sender, Way, steady
from webrtc.estimation.estimate import START_BPS
from webrtc.estimation.trial import MOST_BPS, STRAY, Trial
from webrtc.selection.bitrate_allocation import MARGIN, Priority, Rest, Step, Wish, allocate, least_bps

FRAMES_PER_S = 30
KEYFRAME_OCTETS = 60_000
PICTURE = Step(bps=2_500_000, layer=0)
VOICE = Wish(mid="v", priority=Priority.VOICE, steps=(Step(bps=45_000, layer=0),))
STAGE = Wish(mid="0", priority=Priority.STAGE, steps=(PICTURE,), still_bps=160_000)
WISHES = (VOICE, STAGE)
NEEDED_BPS = least_bps(WISHES, ["0"])


class Viewer(Sender):
    """Plays one picture of 2.5 Mbit/s, with what comes between the estimate and the layers in the node."""

    def __init__(self, way: Way) -> None:
        super().__init__(way)
        self.flows: list[object] = []  # each change of it
        self._choices = dict[str, object]()
        self._due = 0.0

    def _send_due(self) -> None:
        trial = self.estimate.trial
        budget_bps = self.estimate.bps
        trial.running = budget_bps < NEEDED_BPS <= trial.bps
        allocation = allocate(WISHES, NEEDED_BPS if trial.running else budget_bps, self._choices)  # type: ignore[arg-type]
        self.wanted_bps, self._choices = allocation.wanted_bps, dict(allocation.choices)
        choice = allocation.choices["0"]
        begins = choice is PICTURE and (not self.flows or self.flows[-1] is not PICTURE)
        if not self.flows or self.flows[-1] is not choice:
            self.flows.append(choice)
        if begins or (choice is Rest.STILL and self.now >= self._due):
            self._due = self.now + 3.0
            for _ in range(KEYFRAME_OCTETS // 1000):
                self._packet(1000)
            self.keyframe()
        while self.now >= self._sound_at:
            self._sound_at += 0.02
            self._packet(120)
        while self.now >= self._frame_at:
            self._frame_at += 1 / FRAMES_PER_S
            if choice is PICTURE:
                for _ in range(8):
                    self._packet(PICTURE.bps // FRAMES_PER_S // 8 // 8)
        if self._probe is not None:
            self._pad(*self._probe)


@pytest.mark.parametrize("bps", [4_000_000, 8_000_000, 100_000_000])
@pytest.mark.parametrize("delay_s", [0.01, 0.1])
def test_picture_moves_from_its_first_packet_on_where_the_link_takes_it(bps: int, delay_s: float) -> None:
    viewer = Viewer(Way(bps=steady(bps), delay_s=delay_s))
    viewer.run(30)
    assert viewer.flows == [PICTURE]
    assert viewer.estimate.bps >= 2_500_000


@pytest.mark.parametrize("bps", [300_000, 1_000_000, 1_500_000])
@pytest.mark.parametrize("queue_s", [0.05, 3.0])
def test_first_sign_of_a_narrow_link_ends_it(bps: int, queue_s: float) -> None:
    viewer = Viewer(Way(bps=steady(bps), queue_s=queue_s))
    while viewer.flows[-1:] != [Rest.STILL]:
        viewer.run(0.01)
        assert viewer.now < 1000.6
    viewer.run(30)
    assert PICTURE not in viewer.flows[1:]
    assert viewer.mean_bps(10) <= 1.5 * bps


def test_way_that_is_long_is_not_filled_before_anybody_answers() -> None:
    viewer = Viewer(Way(bps=steady(300_000), delay_s=1.0, queue_s=10.0))
    viewer.run(1)
    assert viewer.flows == [PICTURE, Rest.STILL]
    assert viewer.way.free_at - viewer.now < 6.5  # it was some 30 s otherwise


def test_answer_that_comes_late_brings_the_picture_back() -> None:
    viewer = Viewer(Way(bps=steady(20_000_000), delay_s=0.4))
    viewer.run(20)
    assert viewer.flows == [PICTURE, Rest.STILL, PICTURE]


def test_trial_is_never_for_more_than_one_picture_needs() -> None:
    trial = Trial()
    assert trial.bps == MOST_BPS
    assert trial.judge(3_000_000, wait_s=0.0, received=100, missing=STRAY) == 0.0  # nothing was tried
    trial.running = True
    assert trial.judge(9_000_000, wait_s=0.0, received=100, missing=STRAY) == MOST_BPS
    assert trial.judge(2_000_000, wait_s=0.2, received=100, missing=0) == 0.0
    assert trial.bps == 2_000_000
    trial.end()
    assert trial.bps == 0


def test_what_it_needs_are_voices_and_the_first_large_picture_of_one_layer() -> None:
    slides = Wish(mid="1", priority=Priority.SLIDES, steps=(Step(bps=400_000, layer=0),), still_bps=20_000)
    thumbnail = Wish(mid="2", priority=Priority.THUMBNAIL, steps=(PICTURE,))
    assert least_bps([VOICE, STAGE], ["0", "v"]) == 45_000 + round(MARGIN * 2_500_000)
    assert least_bps([VOICE, STAGE, slides, thumbnail], ["0", "1", "2"]) == 45_000 + round(MARGIN * 560_000)
    assert least_bps([VOICE, STAGE, slides, thumbnail], ["2"]) == 0
    assert NEEDED_BPS > START_BPS
    assert allocate(WISHES, NEEDED_BPS, {}).choices["0"] is PICTURE
