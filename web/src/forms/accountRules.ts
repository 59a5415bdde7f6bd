// What an account's fields may hold, in every form that asks for them; the server has the last word.

import type { ProblemFields, Rule } from "./fieldRules";

type Limits = Omit<Rule, "value">;

export const DISPLAY_NAME: Limits = { most: 80 };
export const ACCOUNT_NAME: Limits = { most: 40, pattern: /^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/ };
export const NEW_PASSWORD: Limits = { exact: true, least: 12, most: 200 };
export const ORGANISATION_NAME: Limits = { most: 200 };
export const PROVINCE: Limits = { most: 100, optional: true };

export const AT_ACCOUNT: ProblemFields = {
  "account-exists": ["name", "taken"],
  "weak-password": ["password", "easy"],
  "wrong-password": ["current", "wrong_password"],
};
