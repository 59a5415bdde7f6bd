// Codes from the controller turned into words. Pure: words and the present time are arguments.

import type { Availability, CommandResult, Device, Lesson, Problem, Property, Site, SiteQuality, StartBlock, Step, Value, Word } from "../api/types";
import { hasPicture, sourceName, valueText } from "./property";
import type { Words } from "./vi";

const own = <K extends string>(table: Record<K, unknown>, key: string): key is K => Object.hasOwn(table, key);

export function deviceType(words: Words, type: string): string {
  return own(words.deviceType, type) ? words.deviceType[type] : words.deviceType.other;
}

/** What a person would call it: its type where the type is known, else its own name. */
export function deviceWord(words: Words, device: { name: string; type: string }): string {
  const known = device.type !== "other" && own(words.deviceType, device.type);
  return known || device.name === "" ? deviceType(words, device.type) : device.name;
}

const capabilityOf = (property: string): string => property.split(".")[0] ?? property;

/** The work a step does, as a verb: "bật", "hạ", "chuyển sang HDMI 1". */
export function verb(words: Words, type: string, property: string, value: Value): string {
  const { verb: verbs } = words;
  const on = value === true || value === "on";
  const off = value === false || value === "off" || value === "standby";
  switch (capabilityOf(property)) {
    case "power":
    case "fan":
      if (on) return verbs.powerOn;
      if (off) return verbs.powerOff;
      return verbs.fan(String(value));
    case "cover": {
      const screen = type === "motor_screen";
      if (value === "closed" || value === "close" || value === 0) return screen ? verbs.screenDown : verbs.coverClose;
      if (value === "open" || value === 100) return screen ? verbs.screenUp : verbs.coverOpen;
      return typeof value === "number" ? verbs.screenTo(value) : verbs.other(words.property.cover, String(value));
    }
    case "av_source":
      return verbs.source(sourceName(String(value)));
    case "av_mute":
      if (!hasPicture(type)) return on ? verbs.mute : verbs.unmute;
      return on ? verbs.blank : verbs.unblank;
    case "microphone":
      return on ? verbs.powerOn : off ? verbs.powerOff : verbs.other(words.property.microphone, String(value));
    case "audio_level":
      return typeof value === "number" ? verbs.volume(value) : verbs.other(words.property.audio_level, String(value));
    case "level":
      return typeof value === "number" ? verbs.brightness(value) : on ? verbs.powerOn : verbs.powerOff;
    case "ptz":
      return verbs.preset(valueName(words, value));
    case "climate":
      if (typeof value === "number") return verbs.setpoint(value);
      if (property.endsWith("fan")) return verbs.fan(valueName(words, value));
      return value === "off" ? verbs.powerOff : verbs.climateMode(valueName(words, value));
    case "button":
      return verbs.press;
    default:
      return verbs.other(property, valueName(words, value));
  }
}

function valueName(words: Words, value: Value): string {
  const text = String(value);
  return own(words.value, text) ? words.value[text].toLowerCase() : text;
}

export function failureReason(words: Words, code: string): string {
  return own(words.failureCode, code) ? words.failureCode[code] : code;
}

/** How long a running step still takes, where we have seen its device do it; otherwise how long it has taken. */
function progress(words: Words, step: Step, now: number, usualS: number | null): string {
  const takenS = Math.max(0, Math.floor((now - Date.parse(step.since)) / 1000));
  const left = usualS === null ? 0 : usualS - takenS;
  return left > 0 ? words.step.remaining(left) : words.step.elapsed(takenS);
}

export interface StepContext {
  /** Call the device by its own name: its type alone would be ambiguous. */
  byName?: boolean;
  /** Seconds that the device usually needs, where known. */
  usualS?: number | null;
  /** The scene's other steps, of which one may be the cause of this one's state. */
  among?: readonly Step[];
}

/** Types of which the steps concern more than one device: those have to be called by their own names. */
export function ambiguousTypes(steps: readonly Pick<Step, "device">[]): ReadonlySet<string> {
  const seen = new Map<string, Set<string>>();
  for (const { device } of steps) seen.set(device.type, (seen.get(device.type) ?? new Set()).add(device.id));
  return new Set([...seen].filter(([, ids]) => ids.size > 1).map(([type]) => type));
}

const called = (words: Words, { device }: Step, byName: boolean): string =>
  byName && device.name !== "" ? device.name : deviceWord(words, device);

const verbOf = (words: Words, step: Step): string => verb(words, step.device.type, step.property, step.value);

/** One step in words, with what is left of its time while it runs. */
export function stepText(words: Words, step: Step, now: number, context: StepContext = {}): string {
  const { step: say } = words;
  const device = called(words, step, context.byName ?? false);
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

/** By its cause, where that is known. */
function skippedText(words: Words, step: Step, device: string, what: string, { byName = false, among = [] }: StepContext): string {
  const { step: say } = words;
  const need = among.find((each) => each.id === step.because);
  if (need === undefined) return say.skipped(device, what);
  const needed = verbOf(words, need);
  if (need.device.id === step.device.id) return say.skippedSame(device, what, needed);
  return say.skippedOther(device, what, called(words, need, byName), needed);
}

/** What is, then who. */
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

/** What the device itself says it is doing, else how far the command is: nothing is said for a device that is silent. */
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

export function problemText(words: Words, problem: Problem): string {
  const { code, device } = problem;
  if (own(words.problem, code)) {
    const text: unknown = words.problem[code];
    if (typeof text === "string") return text;
    if (typeof text === "function") return (text as (device: string) => string)(device ?? words.deviceType.other);
  }
  return device === null ? words.problem.other(code) : words.problem.otherDevice(device, code);
}

const WEIGHT = { essential: 0, useful: 1, comfort: 2 } as const;

/** Essential things first, otherwise as they came. */
export function byImportance<T extends { importance: keyof typeof WEIGHT }>(list: readonly T[]): T[] {
  return [...list].sort((a, b) => WEIGHT[a.importance] - WEIGHT[b.importance]);
}

export type Tone = "good" | "busy" | "warn" | "bad" | "quiet";

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

/** A site's one-word state for its badge: the cause by its name. */
export function siteTone(site: Site): { tone: Tone; key: keyof Words["site"] & DevicesKey } {
  if (site.invitation === "pending") return { tone: "warn", key: "waiting" };
  if (site.invitation !== "accepted") return { tone: "quiet", key: "refused" };
  if (site.quality?.word === "lost") return { tone: "bad", key: "lost" };
  if (site.ready && site.quality?.word === "weak" && site.quality.side !== "others") return { tone: "warn", key: weakness(site.quality) };
  if (site.ready && site.devices.state === "degraded") return { tone: "warn", key: "degraded" };
  if (site.ready) return { tone: "good", key: "ready" };
  switch (site.devices.state) {
    case "failed":
      return { tone: "bad", key: site.problems[0]?.code === "switched_off" ? "off" : "failed" };
    case "idle":
      return { tone: "quiet", key: "idle" };
    default:
      return site.problems.some((problem) => problem.importance === "essential")
        ? { tone: "bad", key: "failed" }
        : { tone: "busy", key: "preparing" };
  }
}
type DevicesKey = "weak" | "cpu" | "node" | "lost" | "off" | "waiting" | "refused" | "ready" | "preparing" | "degraded" | "failed" | "idle";

const weakness = ({ cause }: SiteQuality): "weak" | "cpu" | "node" => (cause === "cpu" || cause === "node" ? cause : "weak");

/** What a class keeps from the others, in words; null: nothing. */
export function keptText(words: Words, { muted, camera_off: dark }: Pick<Site, "muted" | "camera_off">): string | null {
  if (muted && dark) return words.own.both;
  return muted ? words.own.muted : dark ? words.own.dark : null;
}

/** What keeps everybody from saying that all is well: sites that are in and have something to be seen to. */
export function wanting(sites: readonly Site[]): number {
  return sites.filter((site) => siteTone(site).tone !== "good").length;
}

export function mediaText(words: Words, site: Site): { text: string; tone: Tone } {
  const { media: say } = words;
  const { media } = site;
  if (media.link === "lost") return { text: say.lost, tone: "bad" };
  const kept = keptText(words, site);
  if (kept !== null && (media.video || site.camera_off) && (media.audio || site.muted)) {
    return media.receiving ? { text: kept, tone: "quiet" } : { text: say.notReceiving, tone: "warn" };
  }
  if (!media.video && !media.audio) return { text: say.none, tone: "busy" };
  if (!media.video) return { text: say.soundOnly, tone: "warn" };
  if (!media.audio) return { text: say.pictureOnly, tone: "warn" };
  if (!media.receiving) return { text: say.notReceiving, tone: "warn" };
  if (media.link === "weak") return { text: say.weak, tone: "warn" };
  return { text: say.good, tone: "good" };
}

/** What is wrong with a site's connection, and on which side. `school`: the site's. */
export function connectionText(words: Words, quality: SiteQuality, school: string): string {
  if (quality.side === "others") return words.connection.others;
  if (quality.cause === "not_connected" && quality.word === "weak") return words.connection.otherLine(school);
  return words.connection.cause[quality.cause](school);
}

export const wordTone: Record<Word, Tone> = { good: "good", weak: "warn", lost: "bad" };

/** "3 phút trước"; coarse on purpose. */
export function ageText(words: Words, at: string, now: number): string {
  const { quality: say } = words;
  const seconds = Math.max(0, Math.round((now - Date.parse(at)) / 1000));
  if (seconds < 5) return say.now;
  if (seconds < 60) return say.seconds(seconds);
  if (seconds < 3600) return say.minutes(Math.round(seconds / 60));
  if (seconds < 86_400) return say.hours(Math.round(seconds / 3600));
  return say.days(Math.round(seconds / 86_400));
}

export function qualityText(words: Words, property: Property, now: number): string {
  const { quality: say } = words;
  if (property.quality === "assumed") return say.assumed;
  if (property.quality === "unknown" || property.reported_at === null) return say.unknown;
  const age = ageText(words, property.reported_at, now);
  return property.quality === "stale" ? say.stale(age) : say.confirmed(age);
}

export function availabilityText(words: Words, device: Pick<Device, "availability" | "last_seen">, now: number): string {
  const { availability: say } = words;
  const age = device.last_seen === null ? null : ageText(words, device.last_seen, now);
  switch (device.availability) {
    case "online":
      return say.online;
    case "offline":
      return age === null ? say.offlineNever : say.offline(age);
    case "stale":
      return age === null ? say.staleNever : say.stale(age);
    case "unknown":
      return say.unknown;
  }
}

export const availabilityTone: Record<Availability, Tone> = {
  online: "good",
  stale: "warn",
  offline: "bad",
  unknown: "quiet",
};

export function commandText(words: Words, result: Pick<CommandResult, "state" | "code">): string {
  const text = words.command[result.state];
  return result.state === "failed" && result.code !== "" ? `${text}: ${failureReason(words, result.code)}` : text;
}

/** A length of time as people say it: "25 phút", "1 giờ 5 phút". */
export function durationText(words: Words, ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return words.today.moments;
  if (minutes < 60) return words.today.minutes(minutes);
  return words.today.hours(Math.floor(minutes / 60), minutes % 60);
}

/** Why the person cannot start the lesson, and who can. */
export function blockText(words: Words, { host }: Lesson, block: StartBlock, time: (at: string) => string): string {
  const { block: say } = words.today;
  switch (block.code) {
    case "not_yours":
      return say.not_yours(host.name);
    case "no_role": {
      const rest = block.count - block.who.length;
      const names = block.who.join(", ");
      return block.count === 0 ? say.nobody(host.name) : say.no_role(host.name, rest > 0 ? say.andOthers(names, rest) : names);
    }
    case "too_early":
      return say.too_early(time(block.at ?? ""));
    case "room_busy":
      return block.lesson === null ? say.room_busy(block.room ?? "") : say.room_busy_with(block.room ?? "", block.lesson);
    default:
      return say[block.code];
  }
}

/** How a lesson ended, or that it was cancelled. */
export function outcomeText(words: Words, lesson: Lesson, time: (at: string) => string): string {
  if (lesson.state === "cancelled") return words.lessonState.cancelled;
  const at = time(lesson.ended_at ?? lesson.end);
  switch (lesson.end_reason) {
    case "tap":
      return words.endReason.tap(at);
    case "time":
      return words.endReason.time(at);
    case "not_started":
      return words.endReason.not_started;
    default:
      return words.endReason.other;
  }
}
