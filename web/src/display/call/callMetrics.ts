// How the call goes, from what both connections' getStats() say each second: for the screen, the report, and a weak PC.

import type { DisplayReport, Flow } from "../../api/types";
import { EMPTY_SAMPLE, isWeak, rise, type Sample, total } from "../../webrtc/statsSample";
import { afterLoad, type Effort, isSlow, startEffort } from "./cpuAdaptation";

const CONCEALED_OVER = 10; // samples, one a second
const ENOUGH_FRAMES = 10;

export type HealthReport = Pick<
  DisplayReport,
  | "playing"
  | "frames_decoded"
  | "audio_energy"
  | "weak"
  | "send_round_trip_ms"
  | "send_loss"
  | "limited"
  | "freezes"
  | "concealed"
  | "cpu_slow"
>;

export class Health {
  effort: Effort;
  playing = 0;
  weak = false;
  private now: Readonly<Sample> = EMPTY_SAMPLE;
  private sent: Readonly<Sample> = EMPTY_SAMPLE;
  private observedAt: number | null = null;
  private framesOfEarlierPeers = 0;
  private energyOfEarlierPeers = 0;
  private freezes = 0;
  private sounds: { samples: number; concealed: number }[] = [];

  constructor(private readonly cores: number) {
    this.effort = startEffort(cores);
  }

  /** A new receive connection counts from 0. */
  connectedAnew(): void {
    this.framesOfEarlierPeers += total(this.now.framesDecoded);
    this.energyOfEarlierPeers += total(this.now.audioEnergy);
    this.now = EMPTY_SAMPLE;
    this.observedAt = null;
  }

  /** Another lesson. What was learnt of the machine stays. */
  reset(): void {
    this.now = this.sent = EMPTY_SAMPLE;
    this.observedAt = null;
    this.framesOfEarlierPeers = this.energyOfEarlierPeers = this.freezes = this.playing = 0;
    this.weak = false;
    this.sounds = [];
  }

  /** null: not connected. `flows`: how each slot comes, by mid. */
  observe(nowMs: number, play: Sample | null, publish: Sample | null, flows: Readonly<Record<string, Flow>>): void {
    this.sent = publish ?? EMPTY_SAMPLE;
    if (play === null) {
      this.playing = 0;
      this.observedAt = null;
      return;
    }
    const before = this.now;
    const isLive = (mid: string): boolean => (flows[mid] ?? "live") === "live";
    this.now = play;
    this.playing = Object.entries(play.framesDecoded).filter(([mid, frames]) => frames > (before.framesDecoded[mid] ?? 0)).length;
    this.weak = isWeak(before, play);
    // A still or paused picture stands by intent.
    this.freezes += rise(before.freezes, play.freezes, isLive);
    const sound = { samples: rise(before.audioSamples, play.audioSamples, isLive), concealed: rise(before.concealed, play.concealed, isLive) };
    this.sounds = [...this.sounds, sound].slice(-CONCEALED_OVER);
    if (this.observedAt !== null) this.weigh(before, play, nowMs, (nowMs - this.observedAt) / 1_000);
    this.observedAt = nowMs;
  }

  report(): HealthReport {
    const { sendRoundTrip, sendLoss, limited } = this.sent;
    return {
      playing: this.playing,
      frames_decoded: this.framesOfEarlierPeers + total(this.now.framesDecoded),
      audio_energy: this.energyOfEarlierPeers + total(this.now.audioEnergy),
      weak: this.weak,
      send_round_trip_ms: sendRoundTrip === null ? null : Math.round(sendRoundTrip * 1_000),
      send_loss: sendLoss === null ? null : Math.min(1, Math.max(0, sendLoss)),
      limited,
      freezes: this.freezes,
      concealed: this.concealed,
      cpu_slow: isSlow(this.effort),
    };
  }

  private get concealed(): number {
    const samples = this.sounds.reduce((sum, each) => sum + each.samples, 0);
    const concealed = this.sounds.reduce((sum, each) => sum + each.concealed, 0);
    return samples === 0 ? 0 : Math.min(1, concealed / samples);
  }

  private weigh(before: Readonly<Sample>, play: Sample, nowMs: number, seconds: number): void {
    if (seconds <= 0) return;
    const decoded = rise(before.framesDecoded, play.framesDecoded);
    const dropped = rise(before.framesDropped, play.framesDropped);
    const load = {
      busy: rise(before.decodeTime, play.decodeTime) / seconds / Math.max(1, this.cores),
      dropped: decoded + dropped < ENOUGH_FRAMES ? 0 : dropped / (decoded + dropped),
    };
    this.effort = afterLoad(this.effort, load, nowMs);
  }
}
