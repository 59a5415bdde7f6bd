// A lesson in words: why it cannot start, and how it ended.

import type { Lesson, StartBlock } from "../../api/types";
import type { Words } from "../vi/words";

/** Why the person cannot start the lesson, and who can. */
export function startBlockText(words: Words, { host }: Lesson, block: StartBlock, time: (at: string) => string): string {
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
