import { describe, expect, it } from "vitest";
import type { Problem, Site, SiteQuality, Step } from "../api/types";
import { ageText, byImportance, commandText, connectionText, durationText, problemText, siteTone, stepText, verb } from "./describe";
import { en } from "./en";
import { vi } from "./vi";

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
    ...change,
  };
}

const screen = { id: "d2", name: "Màn 100 inch", type: "motor_screen" };

describe("steps in words", () => {
  it.each<[string, Partial<Step>]>([
    ["Máy chiếu đang khởi động (còn khoảng 12 s)", { reported: "warming" }],
    ["Máy chiếu đã bật", { state: "confirmed" }],
    ["Máy chiếu đã bật (đã gửi, thiết bị không báo lại)", { state: "assumed" }],
    ["Máy chiếu không trả lời", { state: "timed_out" }],
    ["Máy chiếu vẫn báo: Tắt", { state: "timed_out", reported: "off" }],
    ["Máy chiếu chưa bật được: thiết bị đang bận", { state: "failed", code: "busy" }],
    ["Máy chiếu chưa bật được: E-17", { state: "failed", code: "E-17" }],
    ["Máy chiếu chờ chuyển sang HDMI 1", { state: "waiting", property: "av_source", value: "hdmi1" }],
    ["Máy chiếu chưa chuyển sang HDMI 1, vì bước trước chưa xong", { state: "skipped", property: "av_source", value: "hdmi1" }],
    ["Màn chiếu đã hạ", { device: screen, property: "cover", value: "closed", state: "confirmed" }],
    ["Màn chiếu đang hạ (còn khoảng 12 s)", { device: screen, property: "cover", value: "closed" }],
    ["Điều hoà đã đặt 26 °C", { device: { id: "d3", name: "", type: "ac" }, property: "climate.setpoint", value: 26, state: "confirmed" }],
    ["Bảng số đã bật", { device: { id: "d4", name: "Bảng số", type: "unheard_of" }, state: "confirmed" }],
  ])("%s", (text, change) => {
    expect(stepText(vi, step(change), NOW, { usualS: 32 })).toBe(text);
  });

  it("says how long it has taken where nobody knows how long it will", () => {
    expect(stepText(vi, step({}), NOW)).toBe("Máy chiếu đang khởi động (đã 20 s)");
    expect(stepText(vi, step({}), NOW, { usualS: 15 })).toBe("Máy chiếu đang khởi động (đã 20 s)");
    expect(stepText(vi, step({}), NOW - 3_600_000)).toBe("Máy chiếu đang khởi động (đã 0 s)"); // a clock that is behind
  });

  it("calls devices by name where the type alone would be ambiguous", () => {
    expect(stepText(vi, step({ state: "confirmed" }), NOW, { byName: true })).toBe("Epson EB-X51 đã bật");
  });

  it("speaks English too", () => {
    expect(stepText(en, step({}), NOW, { usualS: 32 })).toBe("Projector: warm up, under way (about 12 s left)");
  });
});

describe("codes in words", () => {
  it("knows problems with and without a device, and shows a code it does not know", () => {
    const problem = (code: string, device: string | null): Problem => ({ code, importance: "useful", device });
    expect(problemText(vi, problem("device_silent", "Loa"))).toBe("Loa không trả lời");
    expect(problemText(vi, problem("display_absent", null))).toBe("Màn hình phòng chưa bật hoặc mất mạng");
    expect(problemText(vi, problem("constructor", null))).toBe("Cần kiểm tra (constructor)");
    expect(problemText(vi, problem("novel", "Loa"))).toBe("Loa: cần kiểm tra (novel)");
  });

  it("tells how a command ended", () => {
    expect(commandText(vi, { state: "failed", code: "rejected" })).toBe("Thiết bị không làm được: thiết bị từ chối lệnh");
    expect(commandText(vi, { state: "confirmed", code: "" })).toBe("Đã xác nhận");
  });

  it("has a verb for values it never heard of", () => {
    expect(verb(vi, "x", "swing", "wide")).toBe("đặt swing: wide");
  });
});

describe("times and order", () => {
  it("tells ages and durations coarsely", () => {
    const ago = (seconds: number): string => ageText(vi, new Date(NOW - seconds * 1000).toISOString(), NOW);
    expect([2, 40, 150, 7200, 200_000].map(ago)).toEqual(["vừa xong", "40 giây trước", "3 phút trước", "2 giờ trước", "2 ngày trước"]);
    expect([20_000, 1_500_000, 3_900_000].map((ms) => durationText(vi, ms))).toEqual(["ít giây", "25 phút", "1 giờ 5 phút"]);
  });

  it("puts the essential first and keeps the order otherwise", () => {
    const list = [
      { id: 1, importance: "comfort" as const },
      { id: 2, importance: "essential" as const },
      { id: 3, importance: "useful" as const },
      { id: 4, importance: "essential" as const },
    ];
    expect(byImportance(list).map((each) => each.id)).toEqual([2, 4, 3, 1]);
  });
});

describe("a connection in words", () => {
  const weak: SiteQuality = { word: "weak", cause: "uplink_slow", side: "site" };

  it.each<[string, Partial<SiteQuality>]>([
    ["Mạng yếu: đường lên của Trường X chậm", {}],
    ["Mất hình: máy phòng của Trường X không gửi", { word: "lost", cause: "camera" }],
    ["Mạng yếu: Trường X chưa nhận được hình và tiếng", { cause: "not_connected" }],
    ["Mất kết nối với máy phòng của Trường X", { word: "lost", cause: "not_connected" }],
    ["Hình hoặc tiếng nơi khác đến bị ngắt quãng: lỗi ở nơi gửi", { side: "others" }],
    ["Máy chủ cầu bị nghẽn hoặc mất kết nối, không phải do các phòng", { cause: "node", side: "bridge" }],
  ])("%s", (text, change) => {
    expect(connectionText(vi, { ...weak, ...change }, "Trường X")).toBe(text);
  });

  it("is on the badge of the site where the cause is", () => {
    const ready = { ready: true, devices: { state: "ready", steps: [] }, problems: [] };
    const badge = (quality: SiteQuality | null): string => siteTone({ ...ready, quality } as unknown as Site).key;
    expect([null, weak, { ...weak, side: "others" } as const, { ...weak, word: "lost" } as const].map(badge)).toEqual(["ready", "weak", "ready", "lost"]);
  });
});
