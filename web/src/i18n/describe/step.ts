// One step of a scene in words: what its device does, did or did not do, and why.

import type { Step, Value } from "../../api/types";
import type { Words } from "../vi/words";
import { capabilityOf, commandVerb, failureReason } from "./command";
import { deviceLabel } from "./device";
import { valueText } from "./property";
import type { Tone } from "./tone";

/** How long a running step will still take, where the usual time is known; otherwise how long it has taken. */
function progress(words: Words, step: Step, now: number, usualS: number | null): string {
  const takenS = Math.max(0, Math.floor((now - Date.parse(step.since)) / 1000));
  const left = usualS === null ? 0 : usualS - takenS;
  return left > 0 ? words.step.remaining(left) : words.step.elapsed(takenS);
}

export interface StepContext {
  /** Whether to use the device's own name, because its type is ambiguous. */
  byName?: boolean;
  /** Seconds that the device usually needs, where known. */
  usualS?: number | null;
  /** The scene's steps, of which one may be the cause of this one's state. */
  among?: readonly Step[];
}

const labelOf = (words: Words, { device }: Step, byName: boolean): string =>
  byName && device.name !== "" ? device.name : deviceLabel(words, device);

const verbOf = (words: Words, step: Step): string => commandVerb(words, step.device.type, step.property, step.value);

/** One step in words, with its remaining time while it runs. */
export function stepText(words: Words, step: Step, now: number, context: StepContext = {}): string {
  const { step: say } = words;
  const device = labelOf(words, step, context.byName ?? false);
  const what = verbOf(words, step);
  if (step.lost) return words.problem.device_offline(device);
  switch (step.state) {
    case "waiting":
      return say.waiting(device, what);
    case "running":
      return `${runningText(words, step, device)} (${progress(words, step, now, context.usualS ?? null)})`;
    case "confirmed":
      return say.done(device, what);
    case "assumed":
      return `${say.done(device, what)} (${say.assumed})`;
    case "failed":
      return `${say.failed(device, what)}${step.code === "" ? "" : `: ${failureReason(words, step.code)}`}`;
    case "timed_out":
      return step.reported === null || step.reported === step.value
        ? say.silent(device)
        : say.contradicts(device, reportedText(words, step, step.reported));
    case "expired":
      return say.expired(device, what);
    case "superseded":
      return say.superseded(device);
    case "skipped":
      return skippedText(words, step, device, what, context);
    case "overridden":
      return overriddenText(words, step, device);
  }
}

/** Names the step that caused it, where that is known. */
function skippedText(words: Words, step: Step, device: string, what: string, { byName = false, among = [] }: StepContext): string {
  const { step: say } = words;
  const need = among.find((each) => each.id === step.because);
  if (need === undefined) return say.skipped(device, what);
  const needed = verbOf(words, need);
  if (need.device.id === step.device.id) return say.skippedSame(device, what, needed);
  return say.skippedOther(device, what, labelOf(words, need, byName), needed);
}

/** The present value first, then who changed it. */
function overriddenText(words: Words, step: Step, device: string): string {
  const { step: say } = words;
  const { reported } = step;
  if (reported === null || reported === step.value) return say.overridden(device);
  const off = reported === false || reported === "off" || reported === "cooling" || reported === "standby";
  if (off && capabilityOf(step.property) === "power") return say.overriddenOff(device);
  return say.overriddenTo(device, reportedText(words, step, reported));
}

const reportedText = (words: Words, step: Step, value: Value): string =>
  valueText(words, { name: step.property, capability: capabilityOf(step.property), unit: step.unit }, value, String, step.device.type);

/** What the device reports that it is doing; where it reports nothing, how far the command is. */
function runningText(words: Words, step: Step, device: string): string {
  const { step: say } = words;
  const what = verbOf(words, step);
  const moving = transition(words, step);
  if (moving !== null) return say.doing(device, moving);
  switch (step.command) {
    case "acknowledged":
      return say.taken(device, what);
    case "accepted":
      return say.queued(device, what);
    default:
      return say.sent(device, what);
  }
}

function transition(words: Words, step: Step): string | null {
  switch (step.reported) {
    case "warming":
      return words.verb.warming;
    case "cooling":
      return words.verb.cooling;
    case "opening":
    case "closing":
      return verbOf(words, step);
    default:
      return null;
  }
}

export function stepTone(step: Step): Tone {
  switch (step.state) {
    case "confirmed":
    case "assumed":
      return "good";
    case "running":
      return "busy";
    case "waiting":
    case "overridden":
    case "superseded":
      return "quiet";
    default:
      return step.importance === "essential" ? "bad" : "warn";
  }
}
