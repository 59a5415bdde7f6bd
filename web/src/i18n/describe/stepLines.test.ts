import { describe, expect, it } from "vitest";
import type { Problem, Step } from "../../api/types";
import { vi } from "../vi/words";
import { isCalm, stepLines, worstFirst } from "./stepLines";

const NOW = Date.parse("2026-11-22T01:00:20Z");
const TYPES = { p: "projector", s: "motor_screen", l: "light", c: "ptz_camera" } as const;

function step(id: string, change: Partial<Step>): Step {
  return {
    id,
    device: { id: id[0]!, name: "", type: TYPES[id[0] as keyof typeof TYPES] },
    property: "power",
    value: "on",
    importance: "useful",
    state: "confirmed",
    code: "",
    since: "2026-11-22T01:00:00Z",
    deadline_s: 30,
    reported: null,
    unit: "",
    command: null,
    lost: false,
    because: null,
    ...change,
  };
}

const texts = (steps: Step[], mayAct = true, codes: Problem["code"][] = []): string[] =>
  stepLines(vi, steps, codes.map((code) => ({ code, importance: "essential", device: null })), NOW, { usualS: () => null, mayAct }).map(
    (line) => line.text + (line.again === undefined ? "" : ` [${line.again.label}]`),
  );

describe("lines of a site", () => {
  const dead = [
    step("p1", { state: "timed_out", importance: "essential" }),
    step("p2", { state: "skipped", because: "p1", property: "av_source", value: "hdmi1" }),
    step("s1", { state: "expired" }),
    step("c1", { state: "timed_out" }),
    step("c2", { state: "skipped", because: "c1" }),
    step("c3", { state: "skipped", because: "c2" }),
  ];

  it("are one for all that say nothing, and for what waited for them", () => {
    expect(texts(dead)).toEqual(["3 thiết bị không trả lời: Máy chiếu, Màn chiếu, Camera"]);
    expect(texts(dead, true, ["devices_unreached"])).toEqual(["Máy chủ chưa liên lạc được với các thiết bị: Máy chiếu, Màn chiếu, Camera"]);
  });

  it("are one for each cause, however many steps of a device it stops", () => {
    const twice = [step("l1", { state: "timed_out" }), step("l2", { state: "timed_out" }), step("s1", {})];
    expect(texts(twice)).toEqual(["Đèn không trả lời", "Màn chiếu đã bật"]);
    expect(texts([step("l1", { state: "timed_out" }), step("s1", {})])).toEqual(["Đèn không trả lời", "Màn chiếu đã bật"]);
  });

  it("quote a device that has answered since, beside those that have not", () => {
    const mixed = [...dead, step("l1", { state: "timed_out", property: "level", value: 40, reported: 100, unit: "%" })];
    expect(texts(mixed)).toEqual(["3 thiết bị không trả lời: Máy chiếu, Màn chiếu, Camera", "Đèn vẫn báo: 100 %"]);
  });

  it("tell of a device that was ready and has gone since", () => {
    const gone = { importance: "essential", lost: true } as const;
    const [line] = stepLines(vi, [step("p1", gone), step("p2", { ...gone, property: "av_source" })], [], NOW, { usualS: () => null, mayAct: true });
    expect([line?.tone, line?.text]).toEqual(["bad", "Máy chiếu không trả lời"]);
    expect(texts([step("p1", gone), step("s1", {})])).toEqual(["Máy chiếu đang mất kết nối", "Màn chiếu đã bật"]);
  });

  it("offer to undo what the class cannot do without, to the room's own people", () => {
    const off = step("p1", { state: "overridden", importance: "essential", reported: "off" });
    const input = step("p2", { state: "overridden", importance: "essential", property: "av_source", reported: "vga" });
    const failed = step("p3", { state: "failed", importance: "essential" });
    expect(texts([off, input, failed])).toEqual([
      "Máy chiếu đang tắt, có người vừa tắt [Bật lại]",
      "Máy chiếu đang để vga, người trong phòng đã chỉnh",
      "Máy chiếu chưa bật được [Thử lại]",
    ]);
    expect(texts([off, failed], false)).toEqual(["Máy chiếu đang tắt, có người vừa tắt", "Máy chiếu chưa bật được"]);
    const lines = stepLines(vi, [off, input, step("s1", {})], [], NOW, { usualS: () => null, mayAct: true });
    expect(lines.map(isCalm)).toEqual([false, true, true]);
    const silent = stepLines(vi, [step("s1", { state: "expired" }), step("l1", { state: "expired" }), off], [], NOW, { usualS: () => null, mayAct: true });
    expect([silent.map((line) => line.tone), worstFirst(silent).map((line) => line.tone)]).toEqual([["warn", "bad"], ["bad", "warn"]]);
  });
});
