import { expect, it } from "vitest";
import type { Me, Organisation, Role } from "../api/types";
import { reach } from "./reach";

const organisation = (id: string, parent: string | null): Organisation => ({ id, parent, kind: "school", name: id, province: "" });
const held = (role: Role, id: string): Me["roles"][number] => ({ role, organisation: { id, name: id } });
const tree = [organisation("ward", null), organisation("le-loi", "ward"), organisation("dong-da", "ward"), organisation("other", null)];
const ids = (list: Organisation[]): string[] => list.map((each) => each.id);

it("counts where a role is held and below, never above or beside", () => {
  expect(ids(reach(tree, [held("administrator", "ward")], ["administrator"]))).toEqual(["dong-da", "le-loi", "ward"]);
  expect(ids(reach(tree, [held("technician", "le-loi")], ["technician", "administrator"]))).toEqual(["le-loi"]);
  expect(reach(tree, [held("teacher", "ward")], ["administrator"])).toEqual([]);
});

it("ends in a tree with a loop", () => {
  expect(reach([organisation("a", "b"), organisation("b", "a")], [held("teacher", "c")], ["teacher"])).toEqual([]);
});
