// A device's properties and their values in words. Pure: words are an argument.

import { PRESENTERS } from "../api/contract";
import type { Value } from "../api/types";
import type { Words } from "./vi";

export interface Described {
  name: string;
  capability: string;
  unit: string;
  /** Of an enum: the values that it may be set to. */
  options?: readonly string[];
}

type Formatter = (value: number) => string;
type ValueKey = keyof Words["value"];

const own = <K extends string>(table: Record<K, unknown>, key: string): key is K => Object.hasOwn(table, key);

/** Whether muting a device of this type also darkens a picture. */
export const hasPicture = (type: string): boolean => (PRESENTERS as readonly string[]).includes(type);

/** Properties that are more than their capability. */
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
};

/**
 * `power`: "Nguồn"; `health.battery`: "Pin"; `power.socket_2`: "Nguồn (socket 2)". What only the device has a word for is
 * shown in that word, as what it is: the device's.
 */
export function propertyName(words: Words, property: Pick<Described, "name" | "capability">, type = ""): string {
  const { property: say } = words;
  const key = BY_NAME[property.name];
  if (key !== undefined) return say[key];
  if (property.capability === "av_mute" && !hasPicture(type)) return say.av_muteSound;
  if (property.capability === "cover") return type === "motor_screen" ? say.coverScreen : say.cover;
  const detail = property.name.split(".").slice(1).join(" ");
  if (own(words.part, detail)) return words.part[detail];
  const spoken = detail.replaceAll("_", " ");
  if (property.capability === "other" || !own(say, property.capability)) return words.partOwn(spoken === "" ? property.name : spoken);
  return ["", "state", "position"].includes(spoken) ? say[property.capability] : `${say[property.capability]} (${spoken})`;
}

const SWITCH = ["on", "off"] as const;
const SPEEDS = ["off", "on", "auto", "low", "medium", "high", "quiet", "turbo"] as const;
/** What the values of each capability can be, of which we have words. */
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
  // One translated word among foreign ones is a riddle: all, or none.
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
