// Where a person's roles count: at the organisation where they are held, and for some below a department.

import { ADMINISTER_ROLES, EQUIP_ROLES } from "../api/contract";
import type { Me, Organisation, Role } from "../api/types";

/** Roles that give a right at the organisation where they are held, and roles that give it below a department. */
export interface RoleScope {
  at: readonly Role[];
  below: readonly Role[];
}

export const ROOM_SETUP_SCOPE: RoleScope = EQUIP_ROLES;
export const ADMINISTRATOR_SCOPE: RoleScope = ADMINISTER_ROLES;

/** The organisations where the roles `held` give the right, by name. */
export function organisationsInScope(organisations: readonly Organisation[], held: Me["roles"], scope: RoleScope): Organisation[] {
  const roots = (wanted: readonly Role[]): Set<string> =>
    new Set(held.filter((each) => wanted.includes(each.role)).map((each) => each.organisation.id));
  const [at, below] = [roots(scope.at), roots(scope.below)];
  return organisations
    .filter((each) => at.has(each.id) || departmentsAbove(organisations, each).some((one) => below.has(one.id)))
    .sort((a, b) => a.name.localeCompare(b.name, "vi"));
}

/** The departments above an organisation, nearest first. A school above another (in older data) is none. */
export function departmentsAbove(organisations: readonly Organisation[], organisation: Organisation): Organisation[] {
  const known = new Map(organisations.map((each) => [each.id, each]));
  const departments: Organisation[] = [];
  let above = organisation.parent === null ? undefined : known.get(organisation.parent);
  for (let steps = 0; above !== undefined && steps <= organisations.length; steps += 1) {
    if (above.kind === "department") departments.push(above);
    above = above.parent === null ? undefined : known.get(above.parent);
  }
  return departments;
}

/** The schools where a role at this organisation counts: the school itself, or all below the department. */
export function schoolsUnder(organisations: readonly Organisation[], id: string): Organisation[] {
  return organisations.filter(
    (each) =>
      each.kind === "school" && (each.id === id || departmentsAbove(organisations, each).some((one) => one.id === id)),
  );
}
