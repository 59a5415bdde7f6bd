// Checks a form's fields before it is sent, and maps the server's problems to fields. Pure.

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

/** What a field may contain. Lengths are in characters. */
export interface Rule {
  value: () => string;
  /** Spaces around the value count, as in a password. */
  untrimmed?: boolean;
  optional?: boolean;
  minLength?: number;
  maxLength?: number;
  pattern?: RegExp;
  /** The field whose value this one repeats. */
  sameAs?: () => string;
}

/** By the field's path in the request's body: `name`, `school/id`. */
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

/** Problems of the server that concern one field, by their codes. The problem's `reason`, where it has one, replaces `fault`. */
export type ProblemFields = Record<string, [field: string, fault: Fault]>;

/** The fields that the server refused; empty where its problem concerns the whole form. */
export function faultsFromServer(error: ApiError, rules: Rules, problemFields: ProblemFields): Record<string, Fault> {
  const known = problemFields[error.code];
  if (known !== undefined) return { [known[0]]: isFault(error.reason) ? error.reason : known[1] };
  const found: Record<string, Fault> = {};
  for (const { where, code } of error.errors) {
    const field = where.replace(/^\/body\//, "");
    if (!Object.hasOwn(rules, field)) return {}; // it also refused something that is not on the page
    found[field] = isFault(code) ? code : "other";
  }
  return found;
}

const isFault = (code: string): code is Fault => (FAULTS as readonly string[]).includes(code);
