// Where a person's roles count: where they are held, and below departments for what a department does there.

import { ADMINISTER_ROLES, EQUIP_ROLES } from "../api/contract";
import type { Me, Organisation, Role } from "../api/types";

/** Roles that give something at the organisation where they are held, and those that do so below a department. */
export interface Given {
  at: readonly Role[];
  below: readonly Role[];
}

export const EQUIP: Given = EQUIP_ROLES;
export const ADMINISTER: Given = ADMINISTER_ROLES;

/** The organisations where `held` gives it, in the order of their names. */
export function reach(organisations: readonly Organisation[], held: Me["roles"], given: Given): Organisation[] {
  const roots = (wanted: readonly Role[]): Set<string> =>
    new Set(held.filter((each) => wanted.includes(each.role)).map((each) => each.organisation.id));
  const [at, below] = [roots(given.at), roots(given.below)];
  return organisations
    .filter((each) => at.has(each.id) || departmentsAbove(organisations, each).some((one) => below.has(one.id)))
    .sort((a, b) => a.name.localeCompare(b.name, "vi"));
}

/** The nearest first. A school above another, as older data may have, gives nothing. */
export function departmentsAbove(organisations: readonly Organisation[], organisation: Organisation): Organisation[] {
  const known = new Map(organisations.map((each) => [each.id, each]));
  const found: Organisation[] = [];
  let at = organisation.parent === null ? undefined : known.get(organisation.parent);
  for (let steps = 0; at !== undefined && steps <= organisations.length; steps += 1) {
    if (at.kind === "department") found.push(at);
    at = at.parent === null ? undefined : known.get(at.parent);
  }
  return found;
}

/** The schools at which a role held there counts: itself, or all below a department. */
export function schoolsOf(organisations: readonly Organisation[], id: string): Organisation[] {
  return organisations.filter(
    (each) =>
      each.kind === "school" && (each.id === id || departmentsAbove(organisations, each).some((one) => one.id === id)),
  );
}
