import { describe, expect, it } from "vitest";
import { ApiError } from "../api/http";
import { type ProblemFields, faultOf, faultsOf, refused, type Rule, type Rules } from "./fieldRules";

const rule = (value: string, limits: Omit<Rule, "value"> = {}): Rule => ({ value: () => value, ...limits });

describe("a field", () => {
  it.each<[string | null, Rule]>([
    [null, rule("4A")],
    ["missing", rule("  ")],
    [null, rule("", { optional: true, least: 5 })],
    ["too_short", rule("ngắn", { least: 10 })],
    ["too_long", rule("x".repeat(41), { most: 40 })],
    [null, rule(` ${"x".repeat(40)} `, { most: 40 })],
    [null, rule("chín ký t ", { exact: true, least: 10 })],
    ["pattern", rule("Lê Lợi", { pattern: /^[a-z0-9-]+$/ })],
    ["mismatch", rule("một", { same: () => "hai" })],
    [null, rule("một", { same: () => "một" })],
  ])("has the fault %s", (fault, of) => {
    expect(faultOf(of)).toBe(fault);
  });

  it("is named with its fault", () => {
    expect(faultsOf({ name: rule(""), "school/id": rule("le-loi") })).toEqual({ name: "missing" });
  });
});

describe("what the server says", () => {
  const rules: Rules = { name: rule("4A"), "school/id": rule("x") };
  const invalid = (...errors: [string, string][]): ApiError =>
    new ApiError(422, "invalid-request", null, { errors: errors.map(([where, code]) => ({ where, code })) });

  it("is said at the field", () => {
    expect(refused(invalid(["/body/name", "too_long"], ["/body/school/id", "pattern"]), rules, {})).toEqual({ name: "too_long", "school/id": "pattern" });
    expect(refused(invalid(["/body/name", "novel"]), rules, {})).toEqual({ name: "other" });
    expect(refused(new ApiError(409, "already-exists"), rules, { "already-exists": ["name", "taken"] })).toEqual({ name: "taken" });
    const weak: ProblemFields = { "weak-password": ["name", "easy"] };
    expect(refused(new ApiError(422, "weak-password", null, { reason: "like_name" }), rules, weak)).toEqual({ name: "like_name" });
    expect(refused(new ApiError(422, "weak-password", null, { reason: "novel" }), rules, weak)).toEqual({ name: "easy" });
  });

  it("is about the whole where it is about no field of the page", () => {
    expect(refused(invalid(["/body/token", "missing"]), rules, {})).toEqual({});
    expect(refused(new ApiError(409, "room-busy"), rules, {})).toEqual({});
  });
});
