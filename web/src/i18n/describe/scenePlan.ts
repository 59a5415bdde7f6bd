// What a scene will do, in words: its steps in the order of their start.

import type { Device, Importance, SceneStep } from "../../api/types";
import type { Words } from "../vi/words";
import { commandVerb } from "./command";
import { ambiguousTypes, deviceLabel } from "./device";

export interface PlannedStep {
  id: string;
  text: string;
  importance: Importance;
  /** Which steps it waits for, and its deadline. */
  details: string[];
  /** Whether its device is no longer in the room. */
  lost: boolean;
}

/** The steps in words. They refer to each other by their numbers in this order, from 1. */
export function scenePlan(
  words: Words,
  steps: readonly SceneStep[],
  devices: readonly Device[],
  format: (value: number) => string = String,
): PlannedStep[] {
  const ordered = startOrder(steps);
  const numbers = new Map(ordered.map((step, index) => [step.id, index + 1]));
  const known = new Map(devices.map((device) => [device.id, device]));
  const ambiguous = ambiguousTypes(ordered.flatMap((step) => known.get(step.device) ?? []).map((device) => ({ device })));
  const listed = (ids: readonly string[]): string => ids.flatMap((id) => numbers.get(id) ?? []).sort((a, b) => a - b).join(", ");
  const { rooms: say } = words;

  return ordered.map((step) => {
    const device = known.get(step.device);
    const name = device === undefined ? say.stepNoDevice : ambiguous.has(device.type) ? device.name : deviceLabel(words, device);
    const after = listed(step.after.filter((id) => !step.needs.includes(id)));
    const needs = listed(step.needs);
    return {
      id: step.id,
      text: `${name}: ${commandVerb(words, device?.type ?? "", step.property, step.value)}`,
      importance: step.importance,
      details: [
        ...(after === "" ? [] : [say.stepAfter(after)]),
        ...(needs === "" ? [] : [say.stepNeeds(needs)]),
        say.stepDeadline(format(step.deadline_s)),
      ],
      lost: device === undefined,
    };
  });
}

/** Each step comes after those that it waits for; otherwise as stored. */
function startOrder(steps: readonly SceneStep[]): SceneStep[] {
  const ordered: SceneStep[] = [];
  const placed = new Set<string>();
  let left = [...steps];
  while (left.length > 0) {
    const next = left.find((step) => [...step.after, ...step.needs].every((id) => placed.has(id))) ?? left[0]!;
    ordered.push(next);
    placed.add(next.id);
    left = left.filter((step) => step !== next);
  }
  return ordered;
}
