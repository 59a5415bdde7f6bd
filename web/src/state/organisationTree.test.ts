import { expect, it } from "vitest";
import type { Organisation } from "../api/types";
import { treeLines } from "./organisationTree";

const one = (id: string, parent: string | null): Organisation => ({ id, parent, kind: "department", name: id, province: "" });
const lines = (...list: Organisation[]): string[] =>
  treeLines(list).map(({ organisation, depth }) => `${"-".repeat(depth)}${organisation.id}`);

it("has each organisation below the one above it, in the order given", () => {
  expect(lines(one("b", "top"), one("top", null), one("a", "top"), one("deep", "a"), one("other", null))).toEqual([
    ...["top", "-b", "-a", "--deep", "other"],
  ]);
});

it("puts those at the top whose parent is not this person's", () => {
  expect(lines(one("school", "hidden"), one("below", "school"))).toEqual(["school", "-below"]);
});

it("shows a loop, too", () => {
  expect(lines(one("a", "b"), one("b", "a"))).toEqual(["a", "b"]);
});
