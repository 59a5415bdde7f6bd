// A command to a device in words, and how it ended.

import type { CommandResult, Value } from "../../api/types";
import type { Words } from "../vi/words";
import { hasKey } from "./hasKey";
import { hasPicture, sourceName } from "./property";

export const capabilityOf = (property: string): string => property.split(".")[0] ?? property;

/** What the device shall do, as a verb: "bật", "hạ", "chuyển sang HDMI 1". */
export function commandVerb(words: Words, type: string, property: string, value: Value): string {
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
  return hasKey(words.value, text) ? words.value[text].toLowerCase() : text;
}

export function failureReason(words: Words, code: string): string {
  return hasKey(words.failureCode, code) ? words.failureCode[code] : code;
}

export function commandText(words: Words, result: Pick<CommandResult, "state" | "code">): string {
  const text = words.command[result.state];
  return result.state === "failed" && result.code !== "" ? `${text}: ${failureReason(words, result.code)}` : text;
}
