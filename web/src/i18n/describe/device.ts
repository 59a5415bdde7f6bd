// Devices in words: their names and their availability.

import type { Availability, Device, Step } from "../../api/types";
import type { Words } from "../vi/words";
import { hasKey } from "./hasKey";
import { ageText } from "./time";
import type { Tone } from "./tone";

export function deviceType(words: Words, type: string): string {
  return hasKey(words.deviceType, type) ? words.deviceType[type] : words.deviceType.other;
}

/** The name that people would use: the type where it is known, else the device's own name. */
export function deviceLabel(words: Words, device: { name: string; type: string }): string {
  return hasKey(words.deviceType, device.type) || device.name === "" ? deviceType(words, device.type) : device.name;
}

/** The types of which the steps concern several devices: such devices need their own names. */
export function ambiguousTypes(steps: readonly Pick<Step, "device">[]): ReadonlySet<string> {
  const seen = new Map<string, Set<string>>();
  for (const { device } of steps) seen.set(device.type, (seen.get(device.type) ?? new Set()).add(device.id));
  return new Set([...seen].filter(([, ids]) => ids.size > 1).map(([type]) => type));
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
