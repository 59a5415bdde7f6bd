import { expect, it } from "vitest";
import { vi } from "../vi/words";
import { commandText, commandVerb } from "./command";

it("tells how a command ended", () => {
  expect(commandText(vi, { state: "failed", code: "rejected" })).toBe("Thiết bị không làm được: thiết bị từ chối lệnh");
  expect(commandText(vi, { state: "confirmed", code: "" })).toBe("Đã xác nhận");
});

it("has a verb for values it never heard of", () => {
  expect(commandVerb(vi, "x", "swing", "wide")).toBe("đặt swing: wide");
});
