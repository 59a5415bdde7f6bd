// How long each device took for each step the last time, for texts like "about 12 s left". Stored in this browser.

import type { Lesson, Step } from "../api/types";

const STORED = "nhipcau.durations";
const MAX_ENTRIES = 300;

const keyOf = (step: Step): string => `${step.device.id} ${step.property} ${String(step.value)}`;

export class StepDurations {
  private readonly seconds: Map<string, number>;

  constructor(private readonly storage: Pick<Storage, "getItem" | "setItem">) {
    this.seconds = new Map(read(storage));
  }

  /** Seconds that this step's device usually needs; null: not known yet. */
  usualS(step: Step): number | null {
    return this.seconds.get(keyOf(step)) ?? null;
  }

  /** Records the steps that were running `before` and are confirmed now. */
  learn(before: Lesson | undefined, now: Lesson): void {
    const running = new Map<string, Step>();
    for (const step of steps(before)) if (step.state === "running") running.set(keyOf(step), step);
    if (running.size === 0) return;
    for (const step of steps(now)) {
      const since = running.get(keyOf(step))?.since;
      if (since !== undefined && step.state === "confirmed") this.record(step, (Date.parse(step.since) - Date.parse(since)) / 1000);
    }
  }

  private record(step: Step, seconds: number): void {
    if (!(seconds > 0) || seconds > 600) return;
    this.seconds.delete(keyOf(step)); // moved to the end, so that the oldest entry is dropped first
    this.seconds.set(keyOf(step), Math.round(seconds));
    for (const key of this.seconds.keys()) {
      if (this.seconds.size <= MAX_ENTRIES) break;
      this.seconds.delete(key);
    }
    this.storage.setItem(STORED, JSON.stringify([...this.seconds]));
  }
}

const steps = (lesson: Lesson | undefined): Step[] => lesson?.sites.flatMap((site) => site.devices.steps) ?? [];

function read(storage: Pick<Storage, "getItem">): [string, number][] {
  try {
    const stored: unknown = JSON.parse(storage.getItem(STORED) ?? "[]");
    if (!Array.isArray(stored)) return [];
    return stored.filter((each): each is [string, number] => Array.isArray(each) && typeof each[0] === "string" && typeof each[1] === "number");
  } catch {
    return [];
  }
}
