// Adapts reception to the CPU: a slow machine requests fewer and smaller pictures by itself. Pure.

import { MOST_THUMBNAILS } from "../../api/contract";

/** The most that a machine requests. `stage`, `thumbnail`: heights in device pixels. */
export interface ReceiveLimits {
  stage: number;
  thumbnail: number;
  thumbnails: number;
}

/** The cost of decoding in the last second. `busy`: seconds of work per second and core; `dropped`: share of the frames, 0 to 1. */
export interface DecodeLoad {
  busy: number;
  dropped: number;
}

export interface CpuAdaptation {
  /** Index in `LADDER`; a higher one requests less. */
  step: number;
  overloadedSince: number | null;
  idleSince: number | null;
  /** How long the CPU must be idle before the next raise; it doubles after each raise that failed. */
  raiseAfterMs: number;
  raisedAt: number | null;
}

export const NO_LIMITS: ReceiveLimits = { stage: Infinity, thumbnail: Infinity, thumbnails: MOST_THUMBNAILS };
export const LADDER: readonly ReceiveLimits[] = [
  NO_LIMITS,
  { stage: 720, thumbnail: 180, thumbnails: MOST_THUMBNAILS },
  { stage: 360, thumbnail: 180, thumbnails: 4 },
  { stage: 360, thumbnail: 180, thumbnails: 1 },
  { stage: 180, thumbnail: 0, thumbnails: 0 },
];

const FEW_CORES = 2;
const OVERUSE = 0.5;
const UNDERUSE = 0.2;
const DROPPED_OVERUSE = 0.15;
const DROPPED_UNDERUSE = 0.03;
const REDUCE_AFTER_MS = 4_000;
const FIRST_RAISE_AFTER_MS = 30_000;
const MAXIMUM_RAISE_AFTER_MS = 600_000;
const FAILED_RAISE_MS = 60_000;

export function startAdaptation(cores: number): CpuAdaptation {
  const step = cores <= FEW_CORES ? 1 : 0;
  return { step, overloadedSince: null, idleSince: null, raiseAfterMs: FIRST_RAISE_AFTER_MS, raisedAt: null };
}

export const limitsOf = (adaptation: CpuAdaptation): ReceiveLimits => LADDER[adaptation.step] ?? NO_LIMITS;

/** Whether the machine requests less than one of two cores does at first. */
export const isReduced = (adaptation: CpuAdaptation): boolean => adaptation.step > 1;

export function adaptTo(adaptation: CpuAdaptation, load: DecodeLoad, nowMs: number): CpuAdaptation {
  if (load.busy > OVERUSE || load.dropped > DROPPED_OVERUSE) return stepDown({ ...adaptation, idleSince: null }, nowMs);
  if (load.busy > UNDERUSE || load.dropped > DROPPED_UNDERUSE) return { ...adaptation, overloadedSince: null, idleSince: null };
  return stepUp({ ...adaptation, overloadedSince: null }, nowMs);
}

function stepDown(adaptation: CpuAdaptation, nowMs: number): CpuAdaptation {
  const overloadedSince = adaptation.overloadedSince ?? nowMs;
  if (nowMs - overloadedSince < REDUCE_AFTER_MS || adaptation.step === LADDER.length - 1) return { ...adaptation, overloadedSince };
  const failedRaise = adaptation.raisedAt !== null && nowMs - adaptation.raisedAt < FAILED_RAISE_MS;
  const raiseAfterMs = failedRaise ? Math.min(adaptation.raiseAfterMs * 2, MAXIMUM_RAISE_AFTER_MS) : adaptation.raiseAfterMs;
  return { step: adaptation.step + 1, overloadedSince: null, idleSince: null, raiseAfterMs, raisedAt: null };
}

function stepUp(adaptation: CpuAdaptation, nowMs: number): CpuAdaptation {
  const idleSince = adaptation.idleSince ?? nowMs;
  if (nowMs - idleSince < adaptation.raiseAfterMs || adaptation.step === 0) return { ...adaptation, idleSince };
  return { ...adaptation, step: adaptation.step - 1, idleSince: null, raisedAt: nowMs };
}
