"""Probes: what came through, and when the next one is due."""

from webrtc.estimation.probing import AGAIN_S, DURATION_S, FAILED_S, FIRST_S, LONGEST_S, Prober, ProbeResult

PACKETS, OCTETS = 41, 1000  # 41 packets in 0.2 s: 1.6 Mbit/s
BPS = (PACKETS - 1) * OCTETS * 8 / DURATION_S


def probed(
    prober: Prober,
    now: float,
    *,
    stretch: float = 1.0,
    lost: range = range(0),
    unreported: range = range(0),
    omitted: int = 0,
) -> ProbeResult | None:
    """Send a probe and report it; `stretch`: how much longer it took to arrive."""
    probe = prober.begin(BPS, now)
    for n in range(PACKETS):
        if n not in lost and n not in unreported:
            after = n * DURATION_S / (PACKETS - 1)
            prober.take(0x10000 + n, [now + after], [77 + now + after * stretch], [OCTETS])
    if unreported:
        prober.skip(0x10000 + unreported.start, 0x10000 + unreported.stop)
    assert prober.result(0x10000 + PACKETS, 0.0, now + 1) is None  # not known yet which packets were the probe's
    prober.sent(probe, 0, PACKETS - 1, 0xFFFF, now + 1)
    assert prober.span == range(0x10000, 0x10000 + PACKETS)
    results = (prober.result(0x10000 + PACKETS, 0.0, now + 1, omitted=omitted) for _ in range(2))
    return next((result for result in results if result is not None), None)


def test_probe_that_comes_through_may_be_followed_soon() -> None:
    prober = Prober(0.0)
    assert prober.due == FIRST_S
    result = probed(prober, 10.0)
    assert result is not None
    assert (round(result.bps), result.clean) == (BPS, True)
    assert (prober.under_way, prober.due) == (None, 11 + AGAIN_S)


def test_probe_that_fills_a_queue_shows_the_capacity() -> None:
    prober = Prober(0.0)
    result = probed(prober, 10.0, stretch=2.0)
    assert result is not None
    assert (round(result.bps), result.clean) == (BPS / 2, False)
    assert prober.due == 11 + FAILED_S


def test_probe_with_loss_is_not_clean() -> None:
    result = probed(Prober(0.0), 10.0, lost=range(20, 28))
    assert result is not None
    assert not result.clean


def test_packets_whose_feedback_was_lost_count_neither_way() -> None:
    result = probed(Prober(0.0), 10.0, unreported=range(20, 28))
    assert result is not None
    assert result.clean


def test_packets_that_the_receiver_does_not_tell_of_count_neither_way() -> None:
    result = probed(Prober(0.0), 10.0, lost=range(1, PACKETS - 1, 2), omitted=(PACKETS - 1) // 2)
    assert result is not None
    assert result.clean


def test_failures_make_probes_rare() -> None:
    prober = Prober(0.0)
    waits = []
    for now in range(0, 600, 100):
        probed(prober, now, stretch=2.0)
        waits.append(prober.due - now - 1)
    assert waits == [FAILED_S, 2 * FAILED_S, 4 * FAILED_S, LONGEST_S, LONGEST_S, LONGEST_S]
    prober.encourage(600.0)
    assert prober.due == 600.0


def test_probe_without_an_answer_is_forgotten() -> None:
    prober = Prober(0.0)
    prober.begin(BPS, 10.0)
    prober.expire(11.0)
    assert prober.under_way
    prober.expire(20.0)
    assert prober.under_way is None
