// Rules for the fields of accounts and organisations, for all forms. The server checks them again.

import type { ProblemFields, Rule } from "./fieldRules";

type Limits = Omit<Rule, "value">;

export const DISPLAY_NAME: Limits = { maxLength: 80 };
export const ACCOUNT_NAME: Limits = { maxLength: 40, pattern: /^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/ };
export const NEW_PASSWORD: Limits = { untrimmed: true, minLength: 12, maxLength: 200 };
export const ORGANISATION_NAME: Limits = { maxLength: 200 };
export const PROVINCE: Limits = { maxLength: 100, optional: true };

export const AT_ACCOUNT: ProblemFields = {
  "account-exists": ["name", "taken"],
  "weak-password": ["password", "easy"],
  "wrong-password": ["current", "wrong_password"],
};
