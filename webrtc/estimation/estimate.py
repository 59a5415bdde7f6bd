"""The estimate of what the link to one subscriber takes, by the feedback on what was sent to it.

Delay-based as Google congestion control (draft-ietf-rmcat-gcc-02), together with losses, and probing with padding
before a rate is used. Pure: all times are seconds of one monotonic clock.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from math import inf

from webrtc.estimation.bottleneck import Capacity, Delivery, Queue
from webrtc.estimation.coverage import FeedbackCoverage
from webrtc.estimation.loss import LossControl
from webrtc.estimation.probing import Probe, Prober
from webrtc.estimation.sent import SentPackets, arrivals
from webrtc.estimation.trendline import Trendline, Usage
from webrtc.estimation.trial import Trial
from webrtc.rtp.packet import extend
from webrtc.rtp.rtcp import MaximumBitrate
from webrtc.rtp.transport_cc import REFERENCE_TICKS, Run, TransportFeedback

START_BPS = 1_000_000
START_WITHOUT_FEEDBACK_BPS = 512_000
FLOOR_BPS = 30_000
CAP_BPS = 20_000_000
BACKOFF = 0.85  # of what arrives, when a queue grows
DRAIN = 0.7  # where the queue is already long
GROWTH = 1.08  # per second, while the link's capacity is not known
NEAR_GROWTH = 0.04  # per second, where it is: at most
PACKET_BITS = 9600  # near the capacity: one more packet per response time
LIMIT, LIMIT_BPS = 1.5, 50_000  # how far above what arrives the estimate may grow by itself
SILENCE_S, SILENCE_WITHOUT_FEEDBACK_S = 1.0, 6.0  # with packets under way; receiver reports come every few seconds
ROUND_TRIPS, FEEDBACKS_S = 1.5, 0.3  # until silence counts, where that is longer
# Where nothing goes out for so long, nothing can come back, and the estimate is old: a probe of at least so much goes.
IDLE_S, WAKE_BPS = 2.0, 120_000
CLOCK_S = 1.0  # a one-way time that falls by so much between two feedbacks: the receiver's clock was set
FIRST_ANSWER_S = 3.0  # the first feedback may take so long, over a satellite
GONE_S = 0.03  # packets that wait no longer than this: the queue has drained, and the trend line shows it late
BURST_BITS = 40_000  # what a queue holds may be a burst, of a keyframe or of others, that drains by itself
# The queue that a keyframe makes, here one of a small picture, is no sign: for at most so long after the keyframe, and
# only while packets wait no longer than that.
KEYFRAME_BITS, EXCUSED_S, EXCUSED_WAIT_S = 120_000, 1.5, 0.8
HALVE_S = 0.5  # the estimate halves once per interval while nobody answers
HOLE_S = 1.0  # packets lost in so long a gap are the sign of an interruption, not of a full link
LATE_S = 0.3  # a packet that one feedback lacks may still be reported by the next ones
MAX_MISSING = 1000  # packets; a longer gap counts as lost at once
CALM_S = 2.0  # after the estimate fell, no probe for so long
PROBE_FACTOR = 2.0
CARE = 0.95  # of what came through a probe


class State(StrEnum):
    RISING = "rising"
    HOLDING = "holding"
    FALLING = "falling"
    SILENT = "silent"  # packets go out and nothing comes back


class SendEstimate:
    """The rate that may be sent to one subscriber.

    `transport_cc`: whether the subscriber sends transport-wide feedback; without it, REMB and loss have to do.
    """

    def __init__(self, *, transport_cc: bool, now: float, trend: Trendline | None = None) -> None:
        self.transport_cc = transport_cc
        self.state = State.RISING
        self.round_trip_s: float | None = None
        self.beside_bps = 0  # what goes out without a transport number, so that no feedback reports it
        self.trial = Trial()
        self._coverage = FeedbackCoverage()
        self._media_bps = 0.0  # so much is tried with media alone, where padding is not reported
        self._keyframe_at = -inf  # when one went out last: on a narrow link that is a queue
        self._bps: float = START_BPS if transport_cc else START_WITHOUT_FEEDBACK_BPS
        self._rembs: dict[int, int] = {}  # the last one, by the first of the sources that it names
        self._began = self._risen_at = now
        self._fell_at = self._backed_off_at = -inf
        self._trend = trend or Trendline()
        self._loss = LossControl(now)
        self._prober = Prober(now)
        self._capacity = Capacity()
        self._queue = Queue()
        self._delivery = Delivery()
        self._highest = -1  # extended transport number
        self._highest_sent = 0.0
        self._zero = -1  # the last reference time, extended
        self._missing: dict[int, float] = {}
        self._trip_s = -inf  # the last one, by two clocks
        self._last_sent = self._woken_at = now
        self._waiting_since: float | None = None  # when packets were under way first after the last answer
        self._answered = False  # ever
        self._unanswered_wakes, self._wake_bps = 0, 0.0  # since the last answer
        self._answered_at = now
        self._halved_at = now
        self._before_silence: float = 0.0
        self._before_queue: float = 0.0  # the rate before packets waited long

    @property
    def bps(self) -> int:
        return int(self._bps)

    @property
    def loss(self) -> float:
        """The share of packets lost on the way, 0 to 1, over about the last two seconds."""
        return self._loss.loss

    # -- what the receiver reports

    def on_feedback(self, feedback: TransportFeedback, packets: SentPackets, now: float) -> None:
        """Take transport-wide feedback. `packets`: those that it refers to."""
        if not self.transport_cc:  # the feedback began later than the receiver reports
            self.transport_cc = True
        self._answer(now)
        self._keyframe_at = packets.keyframe_at
        received = self._take(feedback, packets, now)
        lost = self._settle(packets, now)
        self._loss.count(received, lost)
        acknowledged = self._delivery.bps
        if acknowledged:
            acknowledged += self.beside_bps
        if self._prober.under_way:
            self._judge_probe(packets, now)
        waits_s, missing = self._queue.wait_s, len(self._missing)
        shown_bps = self.trial.judge(acknowledged, wait_s=waits_s, received=received, missing=missing)
        if self._trend.usage is Usage.NORMAL and self._loss.bearable:
            self._raise_to(CARE * shown_bps)
        if not self._queue.long:
            self._before_queue = self._bps
        elif self._queue.steady(now):
            self._lengthened(now)
        if self._queue.long and self._queue.growing:
            if self._prober.under_way:
                self._prober.abandon(now)
            self._back_off(acknowledged, now)
        elif self._trend.usage is Usage.OVER:
            if not self._prober.under_way:
                self._back_off(acknowledged, now)
        elif self._trend.usage is Usage.NORMAL and not self._queue.long:
            self._grow(acknowledged, now, limit=max(self._limit(acknowledged), self._media_bps))
        else:
            self._hold(now)
        if self._loss.judge(self.round_trip_s or 0.0, now):
            self._fall_to(self._share * (acknowledged or self._bps), now)

    def _judge_probe(self, packets: SentPackets, now: float) -> None:
        """Learn from the probe under way, once feedback has reached its last packet."""
        span = self._prober.span
        if not span or self._highest < span[-1]:
            return
        omitted = sum(self._coverage.omits(packets, number) for number in span)
        result = self._prober.result(self._highest, self._loss.usual, now, omitted=omitted)
        if result is not None:
            if result.bps > self._bps:
                self._raise_to((CARE if result.clean else BACKOFF) * result.bps)
            self._trend.restart()  # the probe's own queue is no overuse

    def on_loss(self, fraction: float, round_trip_s: float | None, sent_bps: int, wanted_bps: int, now: float) -> None:
        """Take a receiver report: `fraction` lost (0 to 1) over all tracks; `sent_bps`: what went out meanwhile.

        `wanted_bps`: what would be sent if the link took it. No report shows how a probe came through, so it is tried.
        """
        if round_trip_s is not None:
            self.round_trip_s = round_trip_s
        if self.transport_cc:
            if self._answered or now - self._began < FIRST_ANSWER_S:
                return
            self.transport_cc = False  # it agreed to send feedback, and sends none
        self._answer(now)
        self._loss.take(fraction)
        if self._loss.judge(self.round_trip_s or 0.0, now):
            self._give_up(BACKOFF * sent_bps * (1 - fraction), now)
        elif now - self._fell_at >= CALM_S:
            trial_bps = 1.1 * wanted_bps if now >= self._prober.due else 0.0
            self._grow(sent_bps, now, limit=max(self._limit(sent_bps), trial_bps))

    def on_remb(self, remb: MaximumBitrate, rates: Mapping[int, int], sent_bps: int, now: float) -> None:
        """Take a receiver's REMB. `rates`: what goes out, in bit/s by SSRC; `sent_bps`: all together.

        Where there is transport-wide feedback, REMB is ignored. A REMB that rises shows only how much was tried:
        libwebrtc and aiortc report at most 1.5 times what came, which is far too little for a picture that rests. A
        REMB that falls is the sign of a queue. One that stays the same below what goes out is the sign of a queue or a
        cap. aiortc sends one per picture.
        """
        if self.transport_cc:
            return
        self._answer(now)
        named = rates.keys() & remb.media
        named_bps = sum(rates[ssrc] for ssrc in named) if named else sent_bps
        first = min(named, default=0)
        before, self._rembs[first] = self._rembs.get(first, 0), remb.bitrate_bps
        if remb.bitrate_bps < before or remb.bitrate_bps == before and before < named_bps:
            all_bps = remb.bitrate_bps + sent_bps - named_bps
            if all_bps < self._bps:
                self._capacity.overused(all_bps)
                self._give_up(max(all_bps, self._bps / 2), now)

    def _give_up(self, bps: float, now: float) -> None:
        if now - self._fell_at >= CALM_S:  # else it is the same queue
            self._prober.abandon(now)
        self._fall_to(bps, now)

    # -- silence

    def last_sent(self, packets: SentPackets) -> float:
        """When the newest packet went out that feedback would report."""
        return self._coverage.last_sent(packets)

    def tick(self, last_sent: float, now: float) -> None:
        """Notice silence; called about every 100 ms. `last_sent`: of the method of that name."""
        self._last_sent = last_sent
        self._prober.expire(now)
        if self._waiting_since is None:
            if last_sent > self._answered_at:
                self._waiting_since = now
            return
        patience = SILENCE_WITHOUT_FEEDBACK_S
        if self.transport_cc:
            answer_s = ROUND_TRIPS * (self.round_trip_s or 0.0) + FEEDBACKS_S + self._queue.wait_s
            patience = min(max(SILENCE_S, answer_s), patience)
        if not self._answered and self.transport_cc:
            self.trial.wait(now - self._waiting_since)
        if now - self._waiting_since < (patience if self._answered else max(patience, FIRST_ANSWER_S)):
            return
        if self.state is not State.SILENT:
            self.state = State.SILENT
            self.trial.end()
            self._before_silence = self._bps
            self._halved_at = now - HALVE_S
        if now - self._halved_at >= HALVE_S:
            self._halved_at = now
            self._bps = max(FLOOR_BPS, self._bps / 2)

    def _answer(self, now: float) -> None:
        """The receiver is there. After a silence, start again at half of what worked before it, and probe for more."""
        self._answered_at = now
        self._waiting_since = None
        self._answered = True
        self._unanswered_wakes, self._wake_bps = 0, 0.0
        if self.state is State.SILENT:
            self.state = State.HOLDING
            self._bps = max(self._bps, self._before_silence / 2)
            self._trend.restart()
            self._delivery.forget()
            self._queue = Queue()
            self._loss.restart(now)
            self._missing.clear()
            self._prober.encourage(now)
            self._risen_at = now

    def _lengthened(self, now: float) -> None:
        """The way has become longer, as over another route, and there is no queue: probe for the rate of before."""
        self._queue = Queue()
        self._trend.restart()
        self._before_silence = self._before_queue
        self._prober.encourage(now)
        self._risen_at = now

    # -- probing

    def probe(self, wanted_bps: int, now: float) -> Probe | None:
        """A probe to be sent now, if `wanted_bps` is above the estimate and the link may take more; else None."""
        if wanted_bps <= self._bps or self._bps >= CAP_BPS or self._prober.under_way:
            return None
        if self._bps < START_BPS and now - max(self._last_sent, self._woken_at) >= IDLE_S:
            return self._wake(now)
        if self._coverage.omits_padding:
            rested = now >= self._prober.due and now - self._fell_at >= CALM_S and self.state is not State.SILENT
            self._media_bps = 1.1 * wanted_bps if rested else 0.0
            return None
        if (
            not self.transport_cc
            or not self._delivery
            or now < self._prober.due
            or now - self._fell_at < CALM_S
            or self.state is State.SILENT
            or self._trend.usage is not Usage.NORMAL
            or not self._loss.bearable
        ):
            return None
        reach = max(PROBE_FACTOR * self._bps, self._before_silence)
        return self._prober.begin(min(reach, wanted_bps * 1.1, CAP_BPS), now)

    def _wake(self, now: float) -> Probe | None:
        """Try the link while all pictures rest and nobody speaks: otherwise nothing would ever be sent again."""
        self._woken_at = now
        self._loss.forget(now)
        self._unanswered_wakes += 1
        if not self.transport_cc:
            self._bps = max(self._bps, min(PROBE_FACTOR * self._bps, START_WITHOUT_FEEDBACK_BPS))
            return None
        if self._coverage.omits_padding or (self._unanswered_wakes > 1 and not self._coverage.reports_repeats):
            self._wake_by_media()
        if self._coverage.omits_padding:
            return None
        self._trend.restart()
        return self._prober.begin(max(PROBE_FACTOR * self._bps, WAKE_BPS), now)

    def _wake_by_media(self) -> None:
        """Have a still or more go out, and wait for the answer: the receiver may leave padding out of its feedback."""
        self._wake_bps = min(max(PROBE_FACTOR * self._wake_bps, WAKE_BPS), START_WITHOUT_FEEDBACK_BPS)
        self._bps = max(self._bps, self._wake_bps)
        self._waiting_since = None

    def probe_sent(self, probe: Probe, first: int, last: int, now: float) -> None:
        """All packets (media and padding) of `probe` had the 16-bit transport numbers from `first` to `last`."""
        self._prober.sent(probe, first, last, self._highest, now)

    # -- feedback

    def _take(self, feedback: TransportFeedback, packets: SentPackets, now: float) -> int:
        """Follow the packets that `feedback` acknowledges for the first time; how many there are."""
        if self._highest < 0:
            self._highest = feedback.base + 0xFFFF
            self._zero = feedback.reference_time
        self._zero += ((feedback.reference_time - self._zero + 0x800000) & 0xFFFFFF) - 0x800000
        zero = self._zero * REFERENCE_TICKS
        base = extend(feedback.base, self._highest)
        under_way = self._prober.under_way is not None
        follows = base <= self._highest + 1  # else a feedback was lost, and with it what became of packets before
        if not follows and under_way:
            self._prober.skip(self._highest + 1, base)
        received = octets = 0
        first = last = 0.0
        trip: float | None = None
        for number, moments in self._fresh(base, feedback.runs):
            newest = number > self._highest
            acked = packets.acked(number & 0xFFFF, moments, zero, self._trend if newest else None)
            if acked is None:
                continue
            if newest:
                self._coverage.skip(packets, max(self._highest + 1, base), number)
                if acked.first_sent - self._highest_sent >= HOLE_S:
                    follows = False
                else:
                    self._miss(max(self._highest + 1, base), number, now)
                self._highest, self._highest_sent = number + acked.packets - 1, acked.last_sent
                trip = acked.last_arrived - acked.last_sent
            first = first or acked.first_arrived
            last = max(last, acked.latest_arrived)
            received += acked.packets
            octets += acked.octets
            self._coverage.take(packets, number, acked.packets)
            if under_way:
                times, sizes = packets.sent(number & 0xFFFF, acked.packets)
                self._prober.take(number, times, arrivals(moments[: acked.packets], zero), sizes)
        if received:
            self._delivery.take(first, last, octets, follows=follows)
        if trip is not None:
            if trip < self._trip_s - CLOCK_S:
                self._trend.restart()
                self._delivery.forget()
                self._queue = Queue()
            self._trip_s = trip
            self._queue.take(trip, now)
        return received

    def _fresh(self, base: int, runs: Iterable[Run]) -> Iterator[tuple[int, Sequence[int]]]:
        """The part of `runs` that is new: for each piece its first extended number, and its arrivals in ticks."""
        for place, moments in runs:
            number = base + place
            again = max(0, min(self._highest + 1 - number, len(moments)))
            for late in range(again):
                if self._missing.pop(number + late, None) is not None:
                    yield number + late, moments[late : late + 1]
            if again < len(moments):
                yield number + again, moments[again:] if again else moments

    def _miss(self, start: int, end: int, now: float) -> None:
        if end - start + len(self._missing) > MAX_MISSING:
            self._loss.count(0, end - start)
        elif end > start:
            self._missing.update(dict.fromkeys(range(start, end), now))

    def _settle(self, packets: SentPackets, now: float) -> int:
        """Give up the packets that have been missing for too long; how many of them were lost."""
        if not self._missing:
            return 0
        given_up = [number for number, since in self._missing.items() if now - since >= LATE_S]
        for number in given_up:
            del self._missing[number]
        return sum(1 for number in given_up if not self._coverage.omits(packets, number))

    # -- the rate

    @property
    def _share(self) -> float:
        """How much of what arrives is sent from now on, where it is too much."""
        return DRAIN if self._queue.long else BACKOFF

    def _back_off(self, acknowledged: float, now: float) -> None:
        """A queue grows: go below what arrives, once per response time.

        On a narrow link every burst makes a queue: a keyframe, or what the page loads beside the lesson. The queue of a
        keyframe lowers the estimate by nothing, and so does one that shrinks. A short one lowers it a little.
        """
        response_s = 0.1 + min(self.round_trip_s or 0.1, 0.5) + self._queue.wait_s
        if not acknowledged or now - self._backed_off_at < response_s:
            self._risen_at = now
            return
        excused_s = min(response_s + KEYFRAME_BITS / self._bps, EXCUSED_S)
        if now - self._keyframe_at < excused_s and self._queue.wait_s < EXCUSED_WAIT_S:
            self._hold(now)
            return
        if not self._queue.long:
            if self._queue.shrinking or self._queue.wait_s < GONE_S:
                self._hold(now)
                return
            if self._queue.wait_s < BURST_BITS / self._bps:
                self._fall_to(BACKOFF * max(acknowledged, self._bps), now, alarm=False)
                return
        self._capacity.overused(acknowledged)
        # Where little is sent, little arrives: the link takes less, and how much less is not known.
        least = 0.0 if self._queue.long else self._bps / 2
        self._fall_to(max(self._share * acknowledged, least), now)

    @staticmethod
    def _limit(acknowledged: float) -> float:
        return LIMIT * acknowledged + LIMIT_BPS

    def _grow(self, acknowledged: float, now: float, *, limit: float) -> None:
        elapsed, self._risen_at = min(now - self._risen_at, 1.0), now
        if self._bps >= limit or not self._loss.bearable:
            self.state = State.HOLDING
            return
        if self._capacity.exceeded(acknowledged):
            self._capacity.forget()
            self._prober.encourage(now)
        if self._capacity.near(acknowledged):
            step = elapsed * min(PACKET_BITS / (2 * ((self.round_trip_s or 0.1) + 0.1)), NEAR_GROWTH * self._bps)
        else:
            step = self._bps * (GROWTH**elapsed - 1)
        self._bps = min(self._bps + step, limit, CAP_BPS)
        self.state = State.RISING

    def _hold(self, now: float) -> None:
        self._risen_at = now
        self.state = State.HOLDING

    def _raise_to(self, bps: float) -> None:
        if bps > self._bps:
            self._bps = min(bps, CAP_BPS)
            self._capacity.forget()

    def _fall_to(self, bps: float, now: float, *, alarm: bool = True) -> None:
        """`alarm`: for a while nothing is probed."""
        self._backed_off_at = self._risen_at = now
        if alarm:
            self._fell_at = now
        self._before_silence = 0.0
        self.trial.end()
        if self._media_bps:
            self._prober.abandon(now)
            self._media_bps = 0.0
        self.state = State.FALLING
        if 0 < bps < self._bps:
            self._bps = max(bps, FLOOR_BPS)
