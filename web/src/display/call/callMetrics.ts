// The figures of a call, from a sample of both connections each second: for the screen, the report and CPU adaptation.

import type { DisplayReport, Flow } from "../../api/types";
import { EMPTY_SAMPLE, isWeak, rise, type Sample, total } from "../../webrtc/statsSample";
import { adaptTo, type CpuAdaptation, isReduced, startAdaptation } from "./cpuAdaptation";

const CONCEALED_WINDOW = 10; // samples, one a second
const ENOUGH_FRAMES = 10;

export type MetricsReport = Pick<
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

export class CallMetrics {
  adaptation: CpuAdaptation;
  playing = 0;
  weak = false;
  private received: Readonly<Sample> = EMPTY_SAMPLE;
  private sentSample: Readonly<Sample> = EMPTY_SAMPLE;
  private observedAt: number | null = null;
  private earlierFrames = 0;
  private earlierEnergy = 0;
  private freezes = 0;
  private soundWindow: { samples: number; concealed: number }[] = [];

  constructor(private readonly cores: number) {
    this.adaptation = startAdaptation(cores);
  }

  /** A new receive connection follows, whose counters start from 0. */
  startConnection(): void {
    this.earlierFrames += total(this.received.framesDecoded);
    this.earlierEnergy += total(this.received.audioEnergy);
    this.received = EMPTY_SAMPLE;
    this.observedAt = null;
  }

  /** Another lesson follows. The adaptation to this machine stays. */
  reset(): void {
    this.received = this.sentSample = EMPTY_SAMPLE;
    this.observedAt = null;
    this.earlierFrames = this.earlierEnergy = this.freezes = this.playing = 0;
    this.weak = false;
    this.soundWindow = [];
  }

  /** `play`, `publish`: null while not connected. `flows`: each slot's flow, by mid. */
  addSample(nowMs: number, play: Sample | null, publish: Sample | null, flows: Readonly<Record<string, Flow>>): void {
    this.sentSample = publish ?? EMPTY_SAMPLE;
    if (play === null) {
      this.playing = 0;
      this.observedAt = null;
      return;
    }
    const before = this.received;
    const isLive = (mid: string): boolean => (flows[mid] ?? "live") === "live";
    this.received = play;
    this.playing = Object.entries(play.framesDecoded).filter(([mid, frames]) => frames > (before.framesDecoded[mid] ?? 0)).length;
    this.weak = isWeak(before, play);
    // A still or paused picture is no freeze: the bridge sends it so.
    this.freezes += rise(before.freezes, play.freezes, isLive);
    const sound = { samples: rise(before.audioSamples, play.audioSamples, isLive), concealed: rise(before.concealed, play.concealed, isLive) };
    this.soundWindow = [...this.soundWindow, sound].slice(-CONCEALED_WINDOW);
    if (this.observedAt !== null) this.adapt(before, play, nowMs, (nowMs - this.observedAt) / 1_000);
    this.observedAt = nowMs;
  }

  report(): MetricsReport {
    const { sendRoundTrip, sendLoss, limited } = this.sentSample;
    return {
      playing: this.playing,
      frames_decoded: this.earlierFrames + total(this.received.framesDecoded),
      audio_energy: this.earlierEnergy + total(this.received.audioEnergy),
      weak: this.weak,
      send_round_trip_ms: sendRoundTrip === null ? null : Math.round(sendRoundTrip * 1_000),
      send_loss: sendLoss === null ? null : Math.min(1, Math.max(0, sendLoss)),
      limited,
      freezes: this.freezes,
      concealed: this.concealed,
      cpu_slow: isReduced(this.adaptation),
    };
  }

  private get concealed(): number {
    const samples = this.soundWindow.reduce((sum, each) => sum + each.samples, 0);
    const concealed = this.soundWindow.reduce((sum, each) => sum + each.concealed, 0);
    return samples === 0 ? 0 : Math.min(1, concealed / samples);
  }

  private adapt(before: Readonly<Sample>, play: Sample, nowMs: number, seconds: number): void {
    if (seconds <= 0) return;
    const decoded = rise(before.framesDecoded, play.framesDecoded);
    const dropped = rise(before.framesDropped, play.framesDropped);
    const load = {
      busy: rise(before.decodeTime, play.decodeTime) / seconds / Math.max(1, this.cores),
      dropped: decoded + dropped < ENOUGH_FRAMES ? 0 : dropped / (decoded + dropped),
    };
    this.adaptation = adaptTo(this.adaptation, load, nowMs);
  }
}
