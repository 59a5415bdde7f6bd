// How much of the others' pictures this machine can show. A weak PC asks for fewer and smaller ones by itself. Pure.

import { MOST_THUMBNAILS } from "../api/contract";

/** The most that is asked for: heights in device pixels, and a number of thumbnails. */
export interface Caps {
  stage: number;
  thumbnail: number;
  thumbnails: number;
}

/** What decoding cost in the last second. `busy`: seconds of work per second and core; `dropped`: share of the frames. */
export interface Load {
  busy: number;
  dropped: number;
}

export interface Effort {
  step: number;
  slowSince: number | null;
  calmSince: number | null;
  /** How long it must have been calm before more is tried: longer each time that was too much. */
  patienceMs: number;
  raisedAt: number | null;
}

export const EVERYTHING: Caps = { stage: Infinity, thumbnail: Infinity, thumbnails: MOST_THUMBNAILS };
export const STEPS: readonly Caps[] = [
  EVERYTHING,
  { stage: 720, thumbnail: 180, thumbnails: MOST_THUMBNAILS },
  { stage: 360, thumbnail: 180, thumbnails: 4 },
  { stage: 360, thumbnail: 180, thumbnails: 1 },
  { stage: 180, thumbnail: 0, thumbnails: 0 },
];

const WEAK_CORES = 2;
const BUSY = 0.5;
const BUSY_CALM = 0.2;
const DROPPED = 0.15;
const DROPPED_CALM = 0.03;
const SLOW_MS = 4_000;
const FIRST_PATIENCE_MS = 30_000;
const MAXIMUM_PATIENCE_MS = 600_000;
const REGRET_MS = 60_000;

export function startEffort(cores: number): Effort {
  const step = cores <= WEAK_CORES ? 1 : 0;
  return { step, slowSince: null, calmSince: null, patienceMs: FIRST_PATIENCE_MS, raisedAt: null };
}

export const capsOf = (effort: Effort): Caps => STEPS[effort.step] ?? EVERYTHING;

/** Whether less is asked for than even a machine of two cores shows. */
export const isSlow = (effort: Effort): boolean => effort.step > 1;

export function afterLoad(effort: Effort, load: Load, nowMs: number): Effort {
  if (load.busy > BUSY || load.dropped > DROPPED) return slower({ ...effort, calmSince: null }, nowMs);
  if (load.busy > BUSY_CALM || load.dropped > DROPPED_CALM) return { ...effort, slowSince: null, calmSince: null };
  return calmer({ ...effort, slowSince: null }, nowMs);
}

function slower(effort: Effort, nowMs: number): Effort {
  const slowSince = effort.slowSince ?? nowMs;
  if (nowMs - slowSince < SLOW_MS || effort.step === STEPS.length - 1) return { ...effort, slowSince };
  const regretted = effort.raisedAt !== null && nowMs - effort.raisedAt < REGRET_MS;
  const patienceMs = regretted ? Math.min(effort.patienceMs * 2, MAXIMUM_PATIENCE_MS) : effort.patienceMs;
  return { step: effort.step + 1, slowSince: null, calmSince: null, patienceMs, raisedAt: null };
}

function calmer(effort: Effort, nowMs: number): Effort {
  const calmSince = effort.calmSince ?? nowMs;
  if (nowMs - calmSince < effort.patienceMs || effort.step === 0) return { ...effort, calmSince };
  return { ...effort, step: effort.step - 1, calmSince: null, raisedAt: nowMs };
}
