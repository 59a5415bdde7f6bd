import { describe, expect, it } from "vitest";
import type { Step } from "../../api/types";
import { en } from "../en/words";
import { vi } from "../vi/words";
import { stepText } from "./step";

const NOW = Date.parse("2026-11-22T01:00:20Z");

function step(change: Partial<Step>): Step {
  return {
    id: "s1",
    device: { id: "d1", name: "Epson EB-X51", type: "projector" },
    property: "power",
    value: "on",
    importance: "essential",
    state: "running",
    code: "",
    since: "2026-11-22T01:00:00Z",
    deadline_s: 32,
    reported: null,
    unit: "",
    command: null,
    lost: false,
    because: null,
    ...change,
  };
}

const screen = { id: "d2", name: "Màn 100 inch", type: "motor_screen" } as const;

describe("steps in words", () => {
  it.each<[string, Partial<Step>]>([
    ["Máy chiếu đang khởi động (còn khoảng 12 giây)", { reported: "warming" }],
    ["Máy chiếu: đã gửi lệnh bật (còn khoảng 12 giây)", { command: "sent" }],
    ["Máy chiếu: đã gửi lệnh bật (còn khoảng 12 giây)", { command: "sent", reported: "off" }],
    ["Máy chiếu: chờ gửi lệnh bật (còn khoảng 12 giây)", { command: "accepted" }],
    ["Máy chiếu đã nhận lệnh bật (còn khoảng 12 giây)", { command: "acknowledged" }],
    ["Máy chiếu đang tắt, có người vừa tắt", { state: "overridden", reported: "off" }],
    ["Máy chiếu đang tắt, có người vừa tắt", { state: "overridden", reported: "cooling" }],
    ["Máy chiếu do người trong phòng tự chỉnh", { state: "overridden" }],
    ["Đèn đang để 80 %, người trong phòng đã chỉnh", { device: { id: "d5", name: "", type: "light" }, property: "level", value: 40, unit: "%", reported: 80, state: "overridden" }],
    ["Đèn vẫn báo: 100 %", { device: { id: "d5", name: "", type: "light" }, property: "level", value: 40, unit: "%", reported: 100, state: "timed_out" }],
    ["Máy chiếu đã bật", { state: "confirmed" }],
    ["Máy chiếu đã bật (đã gửi, thiết bị không báo lại)", { state: "assumed" }],
    ["Máy chiếu không trả lời", { state: "timed_out" }],
    ["Máy chiếu vẫn báo: Tắt", { state: "timed_out", reported: "off" }],
    ["Máy chiếu chưa bật được: thiết bị đang bận", { state: "failed", code: "busy" }],
    ["Máy chiếu chưa bật được: E-17", { state: "failed", code: "E-17" }],
    ["Máy chiếu chờ chuyển sang HDMI 1", { state: "waiting", property: "av_source", value: "hdmi1" }],
    ["Máy chiếu chưa chuyển sang HDMI 1, vì bước trước chưa xong", { state: "skipped", property: "av_source", value: "hdmi1" }],
    ["Màn chiếu đã hạ", { device: screen, property: "cover", value: "closed", state: "confirmed" }],
    ["Màn chiếu đang hạ (còn khoảng 12 giây)", { device: screen, property: "cover", value: "closed", reported: "closing" }],
    ["Điều hoà đã đặt 26 °C", { device: { id: "d3", name: "", type: "ac" }, property: "climate.setpoint", value: 26, state: "confirmed" }],
    ["Bảng số đã bật", { device: { id: "d4", name: "Bảng số", type: "other" }, state: "confirmed" }],
  ])("%s", (text, change) => {
    expect(stepText(vi, step(change), NOW, { usualS: 32 })).toBe(text);
  });

  it("says how long it has taken where nobody knows how long it will", () => {
    const warming = step({ reported: "warming" });
    expect(stepText(vi, warming, NOW)).toBe("Máy chiếu đang khởi động (20 giây)");
    expect(stepText(vi, warming, NOW, { usualS: 15 })).toBe("Máy chiếu đang khởi động (20 giây)");
    expect(stepText(vi, warming, NOW - 3_600_000)).toBe("Máy chiếu đang khởi động (0 giây)"); // a clock that is behind
  });

  it("names the cause of what was not begun", () => {
    const camera = { id: "d6", name: "", type: "ptz_camera" } as const;
    const on = step({ id: "on", device: camera, state: "timed_out" });
    const view = step({ device: camera, property: "ptz.preset", value: "class", state: "skipped", because: "on" });
    expect(stepText(vi, view, NOW, { among: [on, view] })).toBe("Camera chưa bật nên chưa quay về cả lớp");
    const other = step({ id: "on", state: "failed" });
    expect(stepText(vi, view, NOW, { among: [other, view] })).toBe("Máy chiếu chưa bật nên Camera chưa quay về cả lớp");
  });

  it("calls devices by name where the type alone would be ambiguous", () => {
    expect(stepText(vi, step({ state: "confirmed" }), NOW, { byName: true })).toBe("Epson EB-X51 đã bật");
  });

  it("speaks English too", () => {
    expect(stepText(en, step({ reported: "warming" }), NOW, { usualS: 32 })).toBe("Projector is warming up (about 12 s left)");
  });
});
