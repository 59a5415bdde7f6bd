"""The figures of each room of the node's bridges for Prometheus, as long as the room is there.

Labels are the participant, and the track by content and layer ("audio", "video-h", "slides"). The bridge is no label:
there would be new ones every hour. Participants that the policy does not name, as a teacher's own view, are no rooms.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from webrtc.shared.state import ParticipantState, Role, SubscriptionState, TrackState


def track_metrics(rooms: Iterable[ParticipantState]) -> Iterator[Metric]:
    """What comes in, per track."""
    labels = ["participant", "track"]
    bits = _gauge("track_bits_per_second", "What comes in", labels)
    loss = _gauge("track_loss_ratio", "Lost on the way in over the last seconds, before repair", labels)
    jitter = _gauge("track_jitter_seconds", "As RFC 3550 6.4.1 has it", labels)
    height = _gauge("track_height_lines", "Of the picture; 0 where not known", labels)
    rate = _gauge("track_frames_per_second", "Pictures that come in", labels)
    wanted = _gauge("track_wanted", "1 while somebody is sent it", labels)
    packets = _counter("track_packets", "That came in", labels)
    lost = _gauge("track_packets_lost", "That never came, after repair", labels)
    freezes = _counter("track_freezes", "Gaps in the picture of over 0.5 s", labels)
    for participant, name, track in _named(rooms):
        values = [participant, name]
        bits.add_metric(values, track.bitrate_bps)
        loss.add_metric(values, track.loss)
        jitter.add_metric(values, track.jitter_ms / 1000)
        packets.add_metric(values, track.packets)
        lost.add_metric(values, track.lost)
        if track.kind == "video":
            height.add_metric(values, track.height)
            rate.add_metric(values, track.frames_per_s)
            wanted.add_metric(values, track.wanted)
            freezes.add_metric(values, track.freezes)
    yield from (bits, loss, jitter, height, rate, wanted, packets, lost, freezes)


def subscription_metrics(rooms: Iterable[ParticipantState]) -> Iterator[Metric]:
    """What goes out, per room; of several displays the worst."""
    labels = ["participant"]
    bits = _gauge("participant_sent_bits_per_second", "What goes out to it", labels)
    estimate = _gauge("participant_estimate_bits_per_second", "What its downlink takes", labels)
    loss = _gauge("participant_sent_loss_ratio", "Lost on the way out over the last seconds, before repair", labels)
    trip = _gauge("participant_round_trip_seconds", "To the room and back", labels)
    jitter = _gauge("participant_sent_jitter_seconds", "As its reports say", labels)
    height = _gauge("participant_stage_height_lines", "Of the layer on its stage; 0 where there is none", labels)
    for room in rooms:
        links = [each for each in room.subscriptions if each.connected]
        if not links:
            continue
        bits.add_metric([room.id], sum(each.sent_bps for each in links))
        loss.add_metric([room.id], max(each.loss for each in links))
        jitter.add_metric([room.id], max(each.jitter_ms for each in links) / 1000)
        height.add_metric([room.id], max(_stage_height(each) for each in links))
        estimates = [each.estimate_bps for each in links if each.estimate_bps is not None]
        if estimates:
            estimate.add_metric([room.id], min(estimates))
        if room.round_trip_ms is not None:
            trip.add_metric([room.id], room.round_trip_ms / 1000)
    yield from (bits, estimate, loss, trip, jitter, height)


def _named(rooms: Iterable[ParticipantState]) -> Iterator[tuple[str, str, TrackState]]:
    """(participant, name, track); a second camera's tracks are numbered."""
    seen: Counter[tuple[str, str]] = Counter()
    for room in rooms:
        for track in room.tracks:
            content = track.content if track.content == "slides" and track.kind == "video" else track.kind
            name = f"{content}-{track.rid}" if track.rid else content
            seen[room.id, name] += 1
            count = seen[room.id, name]
            yield room.id, name if count == 1 else f"{name}-{count}", track


def _stage_height(subscription: SubscriptionState) -> int:
    return max((slot.height for slot in subscription.slots if slot.role is Role.STAGE), default=0)


def _gauge(name: str, text: str, labels: list[str]) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"nhipcau_node_{name}", text, labels=labels)


def _counter(name: str, text: str, labels: list[str]) -> CounterMetricFamily:
    return CounterMetricFamily(f"nhipcau_node_{name}", text, labels=labels)
