import type { Problem } from "../../api/types";
import type { Words } from "../vi/words";
import { hasKey } from "./hasKey";

export function problemText(words: Words, problem: Problem): string {
  const { code, device } = problem;
  if (hasKey(words.problem, code)) {
    const text: unknown = words.problem[code];
    if (typeof text === "string") return text;
    if (typeof text === "function") return (text as (device: string) => string)(device ?? words.deviceType.other);
  }
  return device === null ? words.problem.other(code) : words.problem.otherDevice(device, code);
}
