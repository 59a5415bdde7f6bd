"""Whether loss lowers the rate."""

from webrtc.estimation.loss import LossControl

INTERVAL_S = 0.5


def run(control: LossControl, losses: list[float], start: float) -> list[int]:
    """The samples (100 packets each) after which the rate was to be lowered."""
    falls = []
    for i, loss in enumerate(losses):
        control.count(100 - round(100 * loss), round(100 * loss))
        if control.judge(0.1, start + (i + 1) * INTERVAL_S):
            falls.append(i)
    return falls


def test_a_little_loss_is_bearable() -> None:
    control = LossControl(0.0)
    assert run(control, [0.01] * 40, 0.0) == []
    assert control.bearable


def test_loss_of_the_first_seconds_is_usual() -> None:
    control = LossControl(0.0)
    assert run(control, [0.05] * 40, 0.0) == []
    assert (control.bearable, round(control.usual, 2)) == (True, 0.05)


def test_much_more_loss_than_usual_lowers_the_rate_at_once_but_not_twice_before_it_shows() -> None:
    control = LossControl(0.0)
    run(control, [0.0] * 10, 0.0)
    falls = run(control, [0.3] * 5, 5.0)
    assert falls == [1]
    assert not control.bearable


def test_loss_that_stays_when_less_is_sent_is_usual_from_then_on() -> None:
    control = LossControl(0.0)
    run(control, [0.0] * 10, 0.0)
    falls = run(control, [0.06] * 60, 5.0)
    assert len(falls) == 1
    assert control.bearable
    assert control.usual > 0.05


def test_loss_that_goes_when_less_is_sent_stays_unusual() -> None:
    control = LossControl(0.0)
    run(control, [0.0] * 10, 0.0)
    assert len(run(control, [0.06] * 14, 5.0)) == 1
    assert run(control, [0.0] * 20, 12.0) == []
    assert (control.bearable, control.usual < 0.01) == (True, True)


def test_few_packets_are_no_sample() -> None:
    control = LossControl(0.0)
    control.count(5, 5)
    assert not control.judge(0.1, 1.0)
    assert control.loss == 0.0
