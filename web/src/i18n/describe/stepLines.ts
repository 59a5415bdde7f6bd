// A site's steps as lines of its card, one line for each cause. Pure.

import type { Id, Problem, Step } from "../../api/types";
import type { Words } from "../vi/words";
import { ambiguousTypes, deviceLabel } from "./device";
import { byImportance } from "./importance";
import { stepText, stepTone } from "./step";
import type { Tone } from "./tone";

export interface Line {
  id: string;
  tone: Tone;
  text: string;
  testid: string;
  /** The step that the line's button repeats, and the button's label. */
  again?: { step: Id; label: string };
}

/** Whether a line needs nobody's attention. */
export const isCalm = ({ tone, again }: Line): boolean => again === undefined && (tone === "good" || tone === "quiet");

const RANKS: Record<Tone, number> = { bad: 0, warn: 1, busy: 2, quiet: 3, good: 3 };

/** Sorted by tone, otherwise in the same order. */
export const worstFirst = (lines: readonly Line[]): Line[] => [...lines].sort((a, b) => RANKS[a.tone] - RANKS[b.tone]);

const isSilent = (step: Step): boolean =>
  step.lost || step.state === "expired" || (step.state === "timed_out" && step.reported === null);

/** Whether a step was skipped because of one of `causes`, directly or through other steps. */
function follows(step: Step, causes: ReadonlySet<Id>, among: readonly Step[]): boolean {
  let at: Step | undefined = step;
  while (at?.state === "skipped" && at.because !== null) {
    if (causes.has(at.because)) return true;
    const { because }: Step = at;
    at = among.find((each) => each.id === because);
  }
  return false;
}

/** `usualS`: seconds that a step's device usually needs. `mayAct`: whether the person may repeat a step. */
export function stepLines(
  words: Words,
  all: readonly Step[],
  problems: readonly Problem[],
  now: number,
  { usualS, mayAct }: { usualS: (step: Step) => number | null; mayAct: boolean },
): Line[] {
  const steps = byImportance(all);
  const ambiguous = ambiguousTypes(steps);
  const silent = steps.filter(isSilent);
  const folded = new Set(silent.length > 1 ? silent.map((step) => step.id) : []);
  const lines: Line[] = folded.size > 0 ? [silentLine(words, silent, ambiguous, problems)] : [];
  for (const step of steps) {
    if (folded.has(step.id) || follows(step, folded, steps)) continue;
    const context = { byName: ambiguous.has(step.device.type), usualS: usualS(step), among: steps };
    lines.push({
      id: `step ${step.id}`,
      tone: toneOf(step),
      text: stepText(words, step, now, context),
      testid: `step-${step.id}`,
      ...(mayAct ? againOf(words, step) : {}),
    });
  }
  return lines;
}

/** One line for all silent devices: a lost connection or a dead broker is one cause. */
function silentLine(words: Words, silent: readonly Step[], ambiguous: ReadonlySet<string>, problems: readonly Problem[]): Line {
  const names = new Map(
    silent.map(({ device }) => [device.id, ambiguous.has(device.type) && device.name !== "" ? device.name : deviceLabel(words, device)]),
  );
  const listed = [...names.values()].join(", ");
  const unreached = problems.some((problem) => problem.code === "devices_unreached");
  const text = unreached
    ? `${words.problem.devices_unreached}: ${listed}`
    : names.size === 1
      ? words.step.silent(listed)
      : words.step.silentTogether(names.size, listed);
  const essential = silent.some((step) => step.importance === "essential");
  return { id: "silent", tone: essential ? "bad" : "warn", text, testid: "silent-devices" };
}

/** Of the steps that somebody undid, only essential ones are bad. */
function toneOf(step: Step): Tone {
  if (step.lost) return step.importance === "essential" ? "bad" : "warn";
  return isSwitchedOff(step) ? "bad" : stepTone(step);
}

/** As the server's `switched_off`: another input is a choice and no fault. */
const isSwitchedOff = (step: Step): boolean =>
  step.state === "overridden" && step.importance === "essential" && !step.property.startsWith("av_source");

function againOf(words: Words, step: Step): Pick<Line, "again"> {
  if (isSwitchedOff(step)) {
    const on = step.value === "on" || step.value === true;
    return { again: { step: step.id, label: on ? words.site.switchOn : words.site.setAgain } };
  }
  const failed = step.state === "failed" || step.state === "timed_out" || step.state === "expired";
  return failed && step.importance === "essential" ? { again: { step: step.id, label: words.site.again } } : {};
}
