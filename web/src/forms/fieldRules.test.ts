import { describe, expect, it } from "vitest";
import { ApiError } from "../api/http";
import { faultOf, faultsFromServer, faultsOf, type ProblemFields, type Rule, type Rules } from "./fieldRules";

const rule = (value: string, limits: Omit<Rule, "value"> = {}): Rule => ({ value: () => value, ...limits });

describe("a field", () => {
  it.each<[string | null, Rule]>([
    [null, rule("4A")],
    ["missing", rule("  ")],
    [null, rule("", { optional: true, minLength: 5 })],
    ["too_short", rule("ngắn", { minLength: 10 })],
    ["too_long", rule("x".repeat(41), { maxLength: 40 })],
    [null, rule(` ${"x".repeat(40)} `, { maxLength: 40 })],
    [null, rule("chín ký t ", { untrimmed: true, minLength: 10 })],
    ["pattern", rule("Lê Lợi", { pattern: /^[a-z0-9-]+$/ })],
    ["mismatch", rule("một", { sameAs: () => "hai" })],
    [null, rule("một", { sameAs: () => "một" })],
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
    expect(faultsFromServer(invalid(["/body/name", "too_long"], ["/body/school/id", "pattern"]), rules, {})).toEqual({ name: "too_long", "school/id": "pattern" });
    expect(faultsFromServer(invalid(["/body/name", "novel"]), rules, {})).toEqual({ name: "other" });
    expect(faultsFromServer(new ApiError(409, "already-exists"), rules, { "already-exists": ["name", "taken"] })).toEqual({ name: "taken" });
    const weak: ProblemFields = { "weak-password": ["name", "easy"] };
    expect(faultsFromServer(new ApiError(422, "weak-password", null, { reason: "like_name" }), rules, weak)).toEqual({ name: "like_name" });
    expect(faultsFromServer(new ApiError(422, "weak-password", null, { reason: "novel" }), rules, weak)).toEqual({ name: "easy" });
  });

  it("is about the whole where it is about no field of the page", () => {
    expect(faultsFromServer(invalid(["/body/token", "missing"]), rules, {})).toEqual({});
    expect(faultsFromServer(new ApiError(409, "room-busy"), rules, {})).toEqual({});
  });
});
