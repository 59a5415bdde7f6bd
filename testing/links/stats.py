"""What a page's browser says of its WebRTC connections: `getStats`, not counters of our own code."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Page

HOOK = """
(() => {
  const Native = window.RTCPeerConnection;
  window.linkPeers = [];
  window.RTCPeerConnection = class extends Native {
    constructor(...parameters) { super(...parameters); window.linkPeers.push(this); }
  };
})();
"""
READ = """
async () => {
  const wanted = ["inbound-rtp", "outbound-rtp", "candidate-pair", "local-candidate", "transport"];
  const peers = [];
  for (const [number, peer] of (window.linkPeers ?? []).entries()) {
    if (peer.connectionState === "closed") continue;
    const entries = [];
    (await peer.getStats()).forEach((entry) => { if (wanted.includes(entry.type)) entries.push(entry); });
    peers.push({ number, state: peer.connectionState, entries });
  }
  return { at: (performance.timeOrigin + performance.now()) / 1000, peers };
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """One slot's counters since its connection began. `jitter_s`: summed over `emitted` samples or frames."""

    packets: int
    octets: int
    lost: int
    nacks: int
    repaired: int  # packets that came by RTX
    discarded: int
    samples: int
    concealed: int
    energy: float
    frames: int
    freezes: int
    frozen_s: float
    height: int
    jitter_s: float
    emitted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbound:
    """One layer that is sent."""

    octets: int
    frames: int
    height: int
    resent: int
    keyframe_requests: int
    limited_by: str  # "none", "cpu", "bandwidth", "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The chosen candidate pair. `kind`: of our candidate, "host", "prflx", "relay"; `protocol`: "udp", "tcp"."""

    round_trip_s: float
    kind: str
    protocol: str
    outgoing_bps: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """`at_s`: since 1970. The keys name the connection and the slot, or the layer."""

    at_s: float
    states: dict[int, str] = field(default_factory=dict)
    audio: dict[tuple[int, str], Inbound] = field(default_factory=dict)
    video: dict[tuple[int, str], Inbound] = field(default_factory=dict)
    sent_audio: dict[tuple[int, str], Outbound] = field(default_factory=dict)
    sent_video: dict[tuple[int, str], Outbound] = field(default_factory=dict)
    routes: dict[int, Route] = field(default_factory=dict)

    @property
    def frames(self) -> int:
        """Decoded on the connections that are open now."""
        return sum(each.frames for each in self.video.values())


async def hook(page: Page) -> None:
    """Make the page's connections readable. Before it is opened."""
    await page.add_init_script(HOOK)


async def snapshot(page: Page) -> Snapshot:
    read: dict[str, Any] = await page.evaluate(READ)
    made = Snapshot(at_s=read["at"])
    for peer in read["peers"]:
        if peer["state"] == "new":
            continue  # made ahead, for another bridge
        number = peer["number"]
        made.states[number] = peer["state"]
        entries = {entry["id"]: entry for entry in peer["entries"]}
        for entry in entries.values():
            if entry["type"] == "inbound-rtp":
                slots = made.audio if entry["kind"] == "audio" else made.video
                slots[number, entry.get("mid", "")] = _inbound(entry)
            elif entry["type"] == "outbound-rtp":
                layers = made.sent_audio if entry["kind"] == "audio" else made.sent_video
                layers[number, f"{entry.get('mid', '')}{entry.get('rid', '')}"] = _outbound(entry)
            elif entry["type"] == "transport" and (pair := entries.get(entry.get("selectedCandidatePairId"))):
                made.routes[number] = _route(pair, entries.get(pair["localCandidateId"], {}))
    return made


def _inbound(entry: dict[str, Any]) -> Inbound:
    return Inbound(
        packets=entry.get("packetsReceived", 0),
        octets=entry.get("bytesReceived", 0) + entry.get("headerBytesReceived", 0),
        lost=entry.get("packetsLost", 0),
        nacks=entry.get("nackCount", 0),
        repaired=entry.get("retransmittedPacketsReceived", 0),
        discarded=entry.get("packetsDiscarded", 0),
        samples=entry.get("totalSamplesReceived", 0),
        concealed=entry.get("concealedSamples", 0),
        energy=entry.get("totalAudioEnergy", 0.0),
        frames=entry.get("framesDecoded", 0),
        freezes=entry.get("freezeCount", 0),
        frozen_s=entry.get("totalFreezesDuration", 0.0),
        height=entry.get("frameHeight", 0),
        jitter_s=entry.get("jitterBufferDelay", 0.0),
        emitted=entry.get("jitterBufferEmittedCount", 0),
    )


def _outbound(entry: dict[str, Any]) -> Outbound:
    return Outbound(
        octets=entry.get("bytesSent", 0) + entry.get("headerBytesSent", 0),
        frames=entry.get("framesSent", 0),
        height=entry.get("frameHeight", 0),
        resent=entry.get("retransmittedPacketsSent", 0),
        keyframe_requests=entry.get("pliCount", 0) + entry.get("firCount", 0),
        limited_by=entry.get("qualityLimitationReason", "none"),
    )


def _route(pair: dict[str, Any], local: dict[str, Any]) -> Route:
    return Route(
        round_trip_s=pair.get("currentRoundTripTime", 0.0),
        kind=local.get("candidateType", ""),
        protocol=local.get("relayProtocol") or local.get("protocol", ""),
        outgoing_bps=pair.get("availableOutgoingBitrate", 0.0),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """What one page got in a while. Shares are 0 to 1. Of the slots, those count into which packets came."""

    duration_s: float
    voices: int
    concealed: float  # of the voice that fared worst
    voice_buffer_s: float
    stage_fps: float  # of the slot with most octets
    stage_height: int
    stage_stopped_s: float  # the longest time without a new frame between two snapshots
    freezes: int
    frozen_s: float
    pictures: int  # slots with more than one frame every two seconds
    lost: float
    nacks: int
    repaired: int
    bits_per_s: float
    connections: int  # opened in that time


ZERO = Inbound(
    packets=0, octets=0, lost=0, nacks=0, repaired=0, discarded=0, samples=0, concealed=0, energy=0.0, frames=0,
    freezes=0, frozen_s=0.0, height=0, jitter_s=0.0, emitted=0,
)  # fmt: skip


def reception(snapshots: Sequence[Snapshot]) -> Reception:
    """Of at least two snapshots, in order."""
    first, last = snapshots[0], snapshots[-1]
    duration = last.at_s - first.at_s
    audio = [(first.audio.get(key, ZERO), now) for key, now in last.audio.items()]
    video = [(first.video.get(key, ZERO), now) for key, now in last.video.items()]
    audio = [(before, now) for before, now in audio if now.packets > before.packets]
    video = [(before, now) for before, now in video if now.packets > before.packets]
    both = audio + video
    stage_before, stage = max(video, key=lambda pair: pair[1].octets - pair[0].octets, default=(ZERO, ZERO))
    lost = sum(now.lost - before.lost for before, now in both)
    packets = sum(now.packets - before.packets for before, now in both)
    emitted = sum(now.emitted - before.emitted for before, now in audio)
    return Reception(
        duration_s=duration,
        voices=len(audio),
        concealed=max(
            ((now.concealed - before.concealed) / max(1, now.samples - before.samples) for before, now in audio),
            default=1.0,
        ),
        voice_buffer_s=sum(now.jitter_s - before.jitter_s for before, now in audio) / max(1, emitted),
        stage_fps=(stage.frames - stage_before.frames) / duration,
        stage_height=stage.height,
        stage_stopped_s=longest_stop(snapshots),
        freezes=sum(now.freezes - before.freezes for before, now in video),
        frozen_s=sum(now.frozen_s - before.frozen_s for before, now in video),
        pictures=sum(now.frames - before.frames > duration / 2 for before, now in video),
        lost=max(0, lost) / max(1, max(0, lost) + packets),
        nacks=sum(now.nacks - before.nacks for before, now in video),
        repaired=sum(now.repaired - before.repaired for before, now in video),
        bits_per_s=8 * sum(now.octets - before.octets for before, now in both) / duration,
        connections=len(last.states.keys() - first.states.keys()),
    )


def longest_stop(snapshots: Sequence[Snapshot]) -> float:
    """Seconds for which no slot had a new frame, to the precision of the snapshots' distance."""
    longest, moved_at, before = 0.0, snapshots[0].at_s, snapshots[0].frames
    for now in snapshots[1:]:
        longest = max(longest, now.at_s - moved_at)
        if now.frames != before:
            moved_at, before = now.at_s, now.frames
    return longest
