// Where a person's roles count: where they are held, and below departments for what a department does there.

import type { Me, Organisation, Role } from "../api/types";

/** Roles that give something at the organisation where they are held, and those that do so below a department. */
export interface RoleScope {
  atOrganisation: readonly Role[];
  belowDepartment: readonly Role[];
}

export const ROOM_SETUP_SCOPE: RoleScope = { atOrganisation: ["technician", "administrator"], belowDepartment: ["technician"] };
export const ADMINISTRATOR_SCOPE: RoleScope = { atOrganisation: ["administrator"], belowDepartment: ["administrator"] };

/** The organisations where `held` gives it, in the order of their names. */
export function organisationsInScope(organisations: readonly Organisation[], held: Me["roles"], scope: RoleScope): Organisation[] {
  const roots = (wanted: readonly Role[]): Set<string> =>
    new Set(held.filter((each) => wanted.includes(each.role)).map((each) => each.organisation.id));
  const [at, below] = [roots(scope.atOrganisation), roots(scope.belowDepartment)];
  return organisations
    .filter((each) => at.has(each.id) || departmentsAbove(organisations, each).some((one) => below.has(one.id)))
    .sort((a, b) => a.name.localeCompare(b.name, "vi"));
}

/** The nearest first. A school above another, as older data may have, gives nothing. */
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

/** The schools at which a role held there counts: itself, or all below a department. */
export function schoolsUnder(organisations: readonly Organisation[], id: string): Organisation[] {
  return organisations.filter(
    (each) =>
      each.kind === "school" && (each.id === id || departmentsAbove(organisations, each).some((one) => one.id === id)),
  );
}
