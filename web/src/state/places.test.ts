import { describe, expect, it } from "vitest";
import { after, folded } from "./places";

describe("what is searched", () => {
  it.each([
    ["Lê Lợi", "le loi"],
    ["ĐỐNG  Đa ", "dong da"],
    ["4A", "4a"],
    ["", ""],
  ])("%s is folded to %s, as the server does", (text, found) => expect(folded(text)).toBe(found));
});

describe("the order of places", () => {
  it("compares part by part", () => {
    expect(after(["le-loi", "4a", "r1"], ["le-loi", "4a", "r1"])).toBe(0);
    expect(after(["le-loi", "4b", "r1"], ["le-loi", "4a", "r2"])).toBe(1);
    expect(after(["kim", "9z", "r9"], ["le-loi", "4a", "r2"])).toBe(-1);
  });
});
