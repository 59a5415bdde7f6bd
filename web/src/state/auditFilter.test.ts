import { expect, it } from "vitest";
import { auditQuery } from "./auditFilter";

it("asks for whole days of this place, and goes on where a page ended", () => {
  const requested = auditQuery({ action: "refused.", from: "2026-11-28", to: "2026-11-29" }, "abc");
  expect(requested.get("action")).toBe("refused.");
  expect(requested.get("start")).toBe(new Date(2026, 10, 28).toISOString());
  expect(requested.get("end")).toBe(new Date(2026, 10, 30).toISOString());
  expect(requested.get("cursor")).toBe("abc");
});

it("asks for everything where nothing is chosen", () => {
  expect(auditQuery({ action: "", from: "", to: "" }, null).toString()).toBe("");
});
