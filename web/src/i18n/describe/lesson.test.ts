import { describe, expect, it } from "vitest";
import type { Lesson, StartBlock } from "../../api/types";
import { vi } from "../vi/words";
import { startBlockText } from "./lesson";

describe("why a lesson cannot be started", () => {
  const block = (change: Partial<StartBlock>): string =>
    startBlockText(
      vi,
      { host: { id: "x", name: "Trường X" } } as unknown as Lesson,
      { code: "no_role", who: [], count: 0, at: null, room: null, lesson: null, ...change },
      () => "7:00",
    );

  it.each<[string, Partial<StartBlock>]>([
    ["Trường X sẽ bắt đầu.", { code: "not_yours" }],
    ["Chỉ giáo viên của Trường X bắt đầu được: Lan.", { who: ["Lan"], count: 1 }],
    ["Chỉ giáo viên của Trường X bắt đầu được: Lan, Nam và 4 người khác.", { who: ["Lan", "Nam"], count: 6 }],
    ["Chỉ giáo viên của Trường X bắt đầu được, nhưng trường chưa có tài khoản giáo viên.", {}],
    ["Bắt đầu được từ 7:00.", { code: "too_early", at: "2026-11-22T00:00:00Z" }],
    ["Chưa phòng nào nhận lời nên chưa bắt đầu được.", { code: "no_room" }],
    ["Phòng 4A đang có tiết học khác. Tiết đó kết thúc thì bắt đầu được.", { code: "room_busy", room: "Phòng 4A" }],
    ["Phòng 4A đang có tiết “Sông Hồng”. Tiết đó kết thúc thì bắt đầu được.", { code: "room_busy", room: "Phòng 4A", lesson: "Sông Hồng" }],
  ])("%s", (text, change) => {
    expect(block(change)).toBe(text);
  });
});
