import { expect, it } from "vitest";
import type { Me, Organisation, Role } from "../api/types";
import { ADMINISTRATOR_SCOPE, organisationsInScope, ROOM_SETUP_SCOPE, schoolsUnder } from "./roleScope";

const school = (id: string, parent: string | null): Organisation => ({ id, parent, kind: "school", name: id, province: "" });
const department = (id: string, parent: string | null): Organisation => ({ ...school(id, parent), kind: "department" });
const held = (role: Role, id: string): Me["roles"][number] => ({ role, organisation: { id, name: id } });
const tree = [
  department("province", null),
  department("ward", "province"),
  school("le-loi", "ward"),
  school("dong-da", "ward"),
  school("annex", "dong-da"),
  school("other", null),
];
const ids = (list: Organisation[]): string[] => list.map((each) => each.id).sort();

it("counts where a role is held and below departments, never above or beside", () => {
  expect(ids(organisationsInScope(tree, [held("administrator", "ward")], ADMINISTRATOR_SCOPE))).toEqual(["annex", "dong-da", "le-loi", "ward"]);
  expect(ids(organisationsInScope(tree, [held("technician", "le-loi")], ROOM_SETUP_SCOPE))).toEqual(["le-loi"]);
  expect(organisationsInScope(tree, [held("teacher", "ward")], ADMINISTRATOR_SCOPE)).toEqual([]);
});

it("gives below a department what a department does there", () => {
  expect(ids(organisationsInScope(tree, [held("technician", "province")], ROOM_SETUP_SCOPE))).toEqual(["annex", "dong-da", "le-loi", "province", "ward"]);
  expect(ids(organisationsInScope(tree, [held("administrator", "province")], ROOM_SETUP_SCOPE))).toEqual(["province"]);
});

it("gives nothing at a school below a school", () => {
  expect(ids(organisationsInScope(tree, [held("administrator", "dong-da")], ADMINISTRATOR_SCOPE))).toEqual(["dong-da"]);
});

it("tells at how many schools a role counts", () => {
  expect(ids(schoolsUnder(tree, "province"))).toEqual(["annex", "dong-da", "le-loi"]);
  expect(ids(schoolsUnder(tree, "dong-da"))).toEqual(["dong-da"]);
});

it("ends in a tree with a loop", () => {
  const looped = [department("a", "b"), department("b", "a")];
  expect(organisationsInScope(looped, [held("administrator", "c")], ADMINISTRATOR_SCOPE)).toEqual([]);
});
