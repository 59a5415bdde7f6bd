import { expect, it } from "vitest";
import type { Site, SiteQuality } from "../../api/types";
import { vi } from "../vi/words";
import { connectionText, mediaText } from "./connection";

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
