import { expect, it } from "vitest";
import { byImportance } from "./importance";

it("puts the essential first and keeps the order otherwise", () => {
  const list = [
    { id: 1, importance: "comfort" as const },
    { id: 2, importance: "essential" as const },
    { id: 3, importance: "useful" as const },
    { id: 4, importance: "essential" as const },
  ];
  expect(byImportance(list).map((each) => each.id)).toEqual([2, 4, 3, 1]);
});
