import { describe, expect, it } from "vitest";
import type { Lesson, Problem, Site, SiteQuality, StartBlock, Step } from "../api/types";
import { ageText, blockText, byImportance, commandText, connectionText, durationText, mediaText, problemText, siteTone, stepText, verb, wanting } from "./describe";
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
    unit: "",
    command: null,
    lost: false,
    because: null,
    ...change,
  };
}

const screen = { id: "d2", name: "Màn 100 inch", type: "motor_screen" };

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
    ["Bảng số đã bật", { device: { id: "d4", name: "Bảng số", type: "unheard_of" }, state: "confirmed" }],
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
    const camera = { id: "d6", name: "", type: "ptz_camera" };
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

describe("codes in words", () => {
  it("knows problems with and without a device, and shows a code it does not know", () => {
    const problem = (code: string, device: string | null): Problem => ({ code: code as Problem["code"], importance: "useful", device });
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

describe("why a lesson cannot be started", () => {
  const block = (change: Partial<StartBlock>): string =>
    blockText(
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

describe("times and order", () => {
  it("tells ages and durations coarsely", () => {
    const ago = (seconds: number): string => ageText(vi, new Date(NOW - seconds * 1000).toISOString(), NOW);
    expect([2, 40, 150, 7200, 200_000].map(ago)).toEqual(["vừa xong", "40 giây trước", "3 phút trước", "2 giờ trước", "2 ngày trước"]);
    expect([20_000, 1_500_000, 3_900_000].map((ms) => durationText(vi, ms))).toEqual(["chưa đến 1 phút", "25 phút", "1 giờ 5 phút"]);
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
    const ready = { ready: true, invitation: "accepted", devices: { state: "ready", steps: [] }, problems: [] };
    const badge = (quality: SiteQuality | null): string => siteTone({ ...ready, quality } as unknown as Site).key;
    expect([null, weak, { ...weak, side: "others" } as const, { ...weak, word: "lost" } as const].map(badge)).toEqual(["ready", "weak", "ready", "lost"]);
    expect((["cpu", "node"] as const).map((cause) => badge({ ...weak, cause }))).toEqual(["cpu", "node"]);
  });

  it("is in the headline where it is on a badge", () => {
    const good = { ready: true, invitation: "accepted", devices: { state: "ready", steps: [] }, problems: [], quality: null } as unknown as Site;
    expect(wanting([good, good])).toBe(0);
    expect(wanting([good, { ...good, quality: weak }, { ...good, invitation: "pending" }])).toBe(2);
  });

  it("says what a class keeps to itself, and no fault", () => {
    const media = { link: "good", video: true, audio: true, receiving: true };
    const site = (change: object): Site => ({ muted: false, camera_off: false, media, ...change }) as unknown as Site;
    const text = (change: object): string => mediaText(vi, site(change)).text;
    expect(text({})).toBe("Hình và tiếng tốt");
    expect(text({ muted: true })).toBe("Đã tắt micrô");
    expect(text({ camera_off: true, media: { ...media, video: false } })).toBe("Đã tắt camera");
    expect(text({ camera_off: true, muted: true, media: { ...media, video: false, audio: false } })).toBe("Đã tắt micrô và camera");
    expect(text({ camera_off: true, media: { ...media, video: false, audio: false } })).toBe("Chưa có hình và tiếng");
  });
});
