// What is wrong with a field, before it is sent and as the server says. Pure.

import type { ApiError } from "../api/http";

const FAULTS = [
  "missing",
  "too_short",
  "too_long",
  "pattern",
  "mismatch",
  "taken",
  "unknown_code",
  "wrong_password",
  "like_name",
  "easy",
  "other",
] as const;
export type Fault = (typeof FAULTS)[number];

/** What a field may hold. Lengths in characters. */
export interface Rule {
  value: () => string;
  /** Spaces around it count: a password. */
  untrimmed?: boolean;
  optional?: boolean;
  minLength?: number;
  maxLength?: number;
  pattern?: RegExp;
  /** Another field that says the same. */
  sameAs?: () => string;
}

/** By the field's place in the body: `name`, `school/id`. */
export type Rules = Record<string, Rule>;

export function faultOf(rule: Rule): Fault | null {
  const value = rule.untrimmed === true ? rule.value() : rule.value().trim();
  if (value === "") return rule.optional === true ? null : "missing";
  if (value.length < (rule.minLength ?? 0)) return "too_short";
  if (value.length > (rule.maxLength ?? Infinity)) return "too_long";
  if (rule.pattern?.test(value) === false) return "pattern";
  if (rule.sameAs !== undefined && rule.sameAs() !== rule.value()) return "mismatch";
  return null;
}

export function faultsOf(rules: Rules): Record<string, Fault> {
  const found: Record<string, Fault> = {};
  for (const [field, rule] of Object.entries(rules)) {
    const fault = faultOf(rule);
    if (fault !== null) found[field] = fault;
  }
  return found;
}

/** Which problems of the server concern one field, by their codes; a problem's own reason says more than `fault`. */
export type ProblemFields = Record<string, [field: string, fault: Fault]>;

/** The fields that the server did not take; empty where what it said is about the whole. */
export function faultsFromServer(error: ApiError, rules: Rules, problemFields: ProblemFields): Record<string, Fault> {
  const known = problemFields[error.code];
  if (known !== undefined) return { [known[0]]: isFault(error.reason) ? error.reason : known[1] };
  const found: Record<string, Fault> = {};
  for (const { where, code } of error.errors) {
    const field = where.replace(/^\/body\//, "");
    if (!Object.hasOwn(rules, field)) return {}; // also about something that is not on the page
    found[field] = isFault(code) ? code : "other";
  }
  return found;
}

const isFault = (code: string): code is Fault => (FAULTS as readonly string[]).includes(code);
