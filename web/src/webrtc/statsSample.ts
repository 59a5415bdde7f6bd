// A connection's getStats(), reduced to the figures that the app shows, reports and decides by.

import { WEAK_LOSS, WEAK_ROUND_TRIP_MS } from "../api/contract";
import type { SendLimit } from "../api/types";

/** By a slot's mid, or by a layer's rid. */
export type Counters = Record<string, number>;

export interface Sample {
  framesDecoded: Counters;
  framesDropped: Counters;
  /** Seconds of decoding, of all frames so far. */
  decodeTime: Counters;
  freezes: Counters;
  /** Of received video by mid, of sent video by rid; in pixels. */
  height: Counters;
  audioEnergy: Counters;
  audioSamples: Counters;
  /** Audio samples that the decoder concealed, without silent ones. */
  concealed: Counters;
  packets: number;
  lost: number;
  framesSent: number;
  /** Seconds; null before the first connectivity check. */
  roundTrip: number | null;
  /** From the receiver's reports on what we send (RFC 3550 6.4.1); null before the first. `sendLoss`: 0 to 1, the worst. */
  sendRoundTrip: number | null;
  sendLoss: number | null;
  /** Whether the route goes by a TURN server; null before there is one. */
  relayed: boolean | null;
  limited: SendLimit;
}

/** A new object for each use: its counters are filled in place. */
export const emptySample = (): Sample => ({
  framesDecoded: {},
  framesDropped: {},
  decodeTime: {},
  freezes: {},
  height: {},
  audioEnergy: {},
  audioSamples: {},
  concealed: {},
  packets: 0,
  lost: 0,
  framesSent: 0,
  roundTrip: null,
  sendRoundTrip: null,
  sendLoss: null,
  relayed: null,
  limited: "none",
});

export const EMPTY_SAMPLE: Readonly<Sample> = emptySample();

interface StatsEntry {
  id?: string;
  type: string;
  kind?: string;
  mid?: string;
  rid?: string;
  framesDecoded?: number;
  framesDropped?: number;
  totalDecodeTime?: number;
  freezeCount?: number;
  frameHeight?: number;
  totalAudioEnergy?: number;
  totalSamplesReceived?: number;
  concealedSamples?: number;
  silentConcealedSamples?: number;
  packetsReceived?: number;
  packetsLost?: number;
  framesSent?: number;
  qualityLimitationReason?: string;
  nominated?: boolean;
  /** Only Firefox has it; its transport lacks `selectedCandidatePairId`. */
  selected?: boolean;
  selectedCandidatePairId?: string;
  localCandidateId?: string;
  candidateType?: string;
  currentRoundTripTime?: number;
  roundTripTime?: number;
  fractionLost?: number;
}

export function sampleOf(entries: readonly StatsEntry[]): Sample {
  const sample = emptySample();
  for (const entry of entries) {
    if (entry.type === "inbound-rtp") takeInbound(sample, entry);
    else if (entry.type === "outbound-rtp" && entry.kind === "video") takeOutbound(sample, entry);
    else if (entry.type === "remote-inbound-rtp") takeRemote(sample, entry);
    else if (entry.type === "candidate-pair" && entry.nominated === true) {
      sample.roundTrip = entry.currentRoundTripTime ?? sample.roundTrip;
    }
  }
  sample.relayed = isRelayed(entries);
  return sample;
}

function isRelayed(entries: readonly StatsEntry[]): boolean | null {
  const chosen = entries.find((entry) => entry.selectedCandidatePairId !== undefined)?.selectedCandidatePairId;
  const pair = entries.find((entry) => entry.type === "candidate-pair" && (entry.id === chosen || entry.selected === true));
  const local = pair && entries.find((entry) => entry.type === "local-candidate" && entry.id === pair.localCandidateId);
  return local?.candidateType === undefined ? null : local.candidateType === "relay";
}

function takeInbound(sample: Sample, entry: StatsEntry): void {
  const mid = entry.mid ?? "";
  const add = (counters: Counters, value: number | undefined): void => {
    counters[mid] = (counters[mid] ?? 0) + (value ?? 0);
  };
  sample.packets += entry.packetsReceived ?? 0;
  sample.lost += entry.packetsLost ?? 0;
  if (entry.kind === "video") {
    add(sample.framesDecoded, entry.framesDecoded);
    add(sample.framesDropped, entry.framesDropped);
    add(sample.decodeTime, entry.totalDecodeTime);
    add(sample.freezes, entry.freezeCount);
    sample.height[mid] = entry.frameHeight ?? 0;
  } else {
    add(sample.audioEnergy, entry.totalAudioEnergy);
    add(sample.audioSamples, entry.totalSamplesReceived);
    add(sample.concealed, (entry.concealedSamples ?? 0) - (entry.silentConcealedSamples ?? 0));
  }
}

function takeOutbound(sample: Sample, entry: StatsEntry): void {
  sample.framesSent += entry.framesSent ?? 0;
  sample.height[entry.rid ?? ""] = entry.frameHeight ?? 0;
  // The CPU comes before the bandwidth: people in the room can do something about a slow machine.
  if (entry.qualityLimitationReason === "cpu") sample.limited = "cpu";
  else if (entry.qualityLimitationReason === "bandwidth" && sample.limited === "none") sample.limited = "bandwidth";
}

function takeRemote(sample: Sample, entry: StatsEntry): void {
  sample.sendRoundTrip = largest(sample.sendRoundTrip, entry.roundTripTime);
  sample.sendLoss = largest(sample.sendLoss, entry.fractionLost);
}

const largest = (known: number | null, value: number | undefined): number | null =>
  value === undefined ? known : Math.max(known ?? 0, value);

export const total = (counters: Counters): number => Object.values(counters).reduce((sum, value) => sum + value, 0);

/** How much the counters rose since `before`, of the keys that are `counted`. */
export function rise(before: Counters, counters: Counters, counted: (key: string) => boolean = () => true): number {
  return Object.entries(counters).reduce(
    (sum, [key, value]) => (counted(key) ? sum + Math.max(0, value - (before[key] ?? 0)) : sum),
    0,
  );
}

/** Whether reception between two samples was weak, by the limits of the teacher's page: too much lost, or too long a round trip. */
export function isWeak(before: Sample, now: Sample): boolean {
  const received = now.packets - before.packets;
  const lost = now.lost - before.lost;
  const share = received + lost > 20 ? lost / (received + lost) : 0;
  return share > WEAK_LOSS || (now.roundTrip ?? 0) * 1000 > WEAK_ROUND_TRIP_MS;
}
