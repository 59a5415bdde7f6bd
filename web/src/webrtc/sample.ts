// What a connection's getStats() says, reduced to what we show, report and decide by.

export interface Sample {
  framesDecoded: Record<string, number>;
  audioEnergy: Record<string, number>;
  packets: number;
  lost: number;
  framesSent: number;
  /** Seconds; null before the first check. */
  roundTrip: number | null;
}

export const EMPTY_SAMPLE: Sample = {
  framesDecoded: {},
  audioEnergy: {},
  packets: 0,
  lost: 0,
  framesSent: 0,
  roundTrip: null,
};

interface StatsEntry {
  type: string;
  kind?: string;
  mid?: string;
  framesDecoded?: number;
  totalAudioEnergy?: number;
  packetsReceived?: number;
  packetsLost?: number;
  framesSent?: number;
  nominated?: boolean;
  currentRoundTripTime?: number;
}

export function sampleOf(stats: Iterable<StatsEntry>): Sample {
  const sample: Sample = { ...EMPTY_SAMPLE, framesDecoded: {}, audioEnergy: {} };
  for (const entry of stats) {
    if (entry.type === "inbound-rtp") {
      const mid = entry.mid ?? "";
      sample.packets += entry.packetsReceived ?? 0;
      sample.lost += entry.packetsLost ?? 0;
      if (entry.kind === "video") {
        sample.framesDecoded[mid] = (sample.framesDecoded[mid] ?? 0) + (entry.framesDecoded ?? 0);
      } else {
        sample.audioEnergy[mid] = (sample.audioEnergy[mid] ?? 0) + (entry.totalAudioEnergy ?? 0);
      }
    } else if (entry.type === "outbound-rtp" && entry.kind === "video") {
      sample.framesSent += entry.framesSent ?? 0;
    } else if (entry.type === "candidate-pair" && entry.nominated === true) {
      sample.roundTrip = entry.currentRoundTripTime ?? sample.roundTrip;
    }
  }
  return sample;
}

export const total = (counters: Record<string, number>): number =>
  Object.values(counters).reduce((sum, value) => sum + value, 0);

const WEAK_LOSS = 0.05;
const WEAK_ROUND_TRIP_S = 0.4;

/** Whether what arrived between two samples is worth a warning: 5 % lost, or an echo of more than 0.4 s. */
export function isWeak(before: Sample, now: Sample): boolean {
  const received = now.packets - before.packets;
  const lost = now.lost - before.lost;
  const share = received + lost > 20 ? lost / (received + lost) : 0;
  return share > WEAK_LOSS || (now.roundTrip ?? 0) > WEAK_ROUND_TRIP_S;
}
