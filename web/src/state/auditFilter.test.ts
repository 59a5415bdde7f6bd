import { expect, it } from "vitest";
import { query } from "./auditFilter";

it("asks for whole days of this place, and goes on where a page ended", () => {
  const asked = query({ action: "refused.", from: "2026-11-28", to: "2026-11-29" }, "abc");
  expect(asked.get("action")).toBe("refused.");
  expect(asked.get("start")).toBe(new Date(2026, 10, 28).toISOString());
  expect(asked.get("end")).toBe(new Date(2026, 10, 30).toISOString());
  expect(asked.get("cursor")).toBe("abc");
});

it("asks for everything where nothing is chosen", () => {
  expect(query({ action: "", from: "", to: "" }, null).toString()).toBe("");
});
