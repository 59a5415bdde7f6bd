// A device's properties and their values in words. Pure: words are an argument.

import { PRESENTERS } from "../../api/contract";
import type { Property, Value } from "../../api/types";
import type { Words } from "../vi/words";
import { hasKey } from "./hasKey";
import { ageText } from "./time";

export interface Described {
  name: string;
  capability: string;
  unit: string;
  /** The values that an enum can be set to. */
  options?: readonly string[];
}

type Formatter = (value: number) => string;
type ValueKey = keyof Words["value"];

/** Whether muting a device of this type also blanks its picture. */
export const hasPicture = (type: string): boolean => (PRESENTERS as readonly string[]).includes(type);

/** Properties that have names of their own, apart from their capability's. */
const BY_NAME: Record<string, keyof Words["property"]> = {
  "climate.mode": "climateMode",
  "climate.setpoint": "climateSetpoint",
  "climate.fan": "climateFan",
  "climate.current": "climateCurrent",
  "cover.position": "coverPosition",
  "ptz.preset": "ptz",
  "ptz.moving": "ptzMoving",
  "meter.power": "meterPower",
  "meter.energy": "meterEnergy",
  "consumable.lamp_hours": "lampHours",
  "av_mute.picture": "mutePicture",
  "av_mute.sound": "av_muteSound",
  "av_mute.freeze": "freeze",
  "health.fan": "healthFan",
  "health.lamp": "healthLamp",
  "health.temperature": "healthTemperature",
  "health.cover": "healthCover",
  "health.filter": "healthFilter",
  "health.other": "healthOther",
};

/**
 * `power`: "Nguồn"; `health.battery`: "Pin"; `power.socket_2`: "Nguồn (socket 2)". A name that only the
 * device knows is shown as the device's own.
 */
export function propertyName(words: Words, property: Pick<Described, "name" | "capability">, type = ""): string {
  const { property: say } = words;
  const key = BY_NAME[property.name];
  if (key !== undefined) return say[key];
  if (property.capability === "av_mute" && !hasPicture(type)) return say.av_muteSound;
  if (property.capability === "cover") return type === "motor_screen" ? say.coverScreen : say.cover;
  const detail = property.name.split(".").slice(1).join(" ");
  if (hasKey(words.part, detail)) return words.part[detail];
  const spoken = detail.replaceAll("_", " ");
  if (property.capability === "other" || !hasKey(say, property.capability)) return words.partOwn(spoken === "" ? property.name : spoken);
  return ["", "state", "position"].includes(spoken) ? say[property.capability] : `${say[property.capability]} (${spoken})`;
}

const SWITCH = ["on", "off"] as const;
const SPEEDS = ["off", "on", "auto", "low", "medium", "high", "quiet", "turbo"] as const;
/** The values of each capability for which there are words. */
const VALUES: Record<string, readonly ValueKey[]> = {
  power: [...SWITCH, "warming", "cooling", "standby"],
  level: SWITCH,
  microphone: SWITCH,
  av_mute: SWITCH,
  cover: ["open", "closed", "opening", "closing", "stopped"],
  ptz: ["class", "board", "teacher", "home"],
  climate: [...SPEEDS, "cool", "heat", "heat_cool", "dry", "fan_only"],
  fan: SPEEDS,
  occupancy: ["occupied", "vacant"],
  contact: ["open", "closed"],
  health: ["ok", "warning", "fault", "unknown"],
  other: [...SWITCH, "open", "closed", "low", "medium", "high", "auto", "yes", "no"],
};
const SCREEN: Record<string, ValueKey> = { open: "screenUp", closed: "screenDown", opening: "screenRising", closing: "screenLowering" };

export function valueText(words: Words, property: Described, value: Value | null, format: Formatter = String, type = ""): string {
  if (value === null) return "–";
  if (typeof value === "number") return property.unit === "" ? format(value) : `${format(value)} ${unit(property.unit)}`;
  if (typeof value === "boolean") return words.value[flag(property, value)];
  if (property.capability === "av_source") return sourceName(value);
  const known = VALUES[property.capability] ?? [];
  // Either all values are translated or none: a mixture would confuse.
  if (![value, ...(property.options ?? [])].every((each) => known.includes(each as ValueKey))) return value;
  const screen = property.capability === "cover" && type === "motor_screen" ? SCREEN[value] : undefined;
  return words.value[screen ?? (value as ValueKey)];
}

function flag(property: Described, value: boolean): ValueKey {
  if (property.name === "ptz.moving") return value ? "moving" : "still";
  switch (property.capability) {
    case "occupancy":
      return value ? "occupied" : "vacant";
    case "contact":
      return value ? "open" : "closed";
    case "power":
    case "microphone":
    case "fan":
      return value ? "on" : "off";
    default:
      return value ? "yes" : "no";
  }
}

export const sourceName = (source: string): string => source.replace(/^hdmi[ _-]?(\d)$/i, "HDMI $1").replace(/^hdmi$/i, "HDMI");

function unit(raw: string): string {
  const pretty: Record<string, string> = { degC: "°C", "ug/m3": "µg/m³", lx: "lux" };
  return pretty[raw] ?? raw;
}

export function freshnessText(words: Words, property: Property, now: number): string {
  const { quality: say } = words;
  if (property.quality === "assumed") return say.assumed;
  if (property.quality === "unknown" || property.reported_at === null) return say.unknown;
  const age = ageText(words, property.reported_at, now);
  return property.quality === "stale" ? say.stale(age) : say.confirmed(age);
}
