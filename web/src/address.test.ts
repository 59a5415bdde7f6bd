import { describe, expect, it } from "vitest";
import { addressOf } from "./address";
import patterns from "./pages.json";
import { pages } from "./pages/pages";

describe("addresses", () => {
  it.each([
    ["/rooms", "/rooms", {}],
    ["/rooms/4a", "/rooms/{room}", { room: "4a" }],
    ["/rooms/4a/le-loi.projector", "/rooms/{room}/{device}", { room: "4a", device: "le-loi.projector" }],
    ["/lessons/l1/4a", "/lessons/{lesson}/{room}", { lesson: "l1", room: "4a" }],
  ])("%s", (path, page, values) => {
    expect(addressOf(path)).toEqual({ page, values });
  });

  it.each(["/nothing", "/rooms/", "/rooms/a/b/c", "/rooms/%2e%2e", "/today/x", "//", ""])("%s is no page", (path) => {
    expect(addressOf(path)).toBeNull();
  });

  it("each lead to a page of this app, and each page has an address", () => {
    const nouns = new Set(patterns.map((pattern) => `/${pattern.split("/")[1] ?? ""}`));
    expect([...Object.keys(pages), "/", "/display"].sort()).toEqual([...nouns].sort());
  });
});
