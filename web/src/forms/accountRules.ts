// Rules for the fields of accounts and organisations, for all forms. The server checks them again.

import {
  ACCOUNT_NAME_PATTERN,
  LONGEST_ACCOUNT_NAME,
  LONGEST_DISPLAY_NAME,
  LONGEST_ORGANISATION_NAME,
  LONGEST_PASSWORD,
  LONGEST_PROVINCE,
  SHORTEST_PASSWORD,
} from "../api/contract";
import type { ProblemFields, Rule } from "./fieldRules";

type Limits = Omit<Rule, "value">;

export const DISPLAY_NAME: Limits = { maxLength: LONGEST_DISPLAY_NAME };
export const ACCOUNT_NAME: Limits = { maxLength: LONGEST_ACCOUNT_NAME, pattern: new RegExp(ACCOUNT_NAME_PATTERN) };
export const NEW_PASSWORD: Limits = { untrimmed: true, minLength: SHORTEST_PASSWORD, maxLength: LONGEST_PASSWORD };
export const ORGANISATION_NAME: Limits = { maxLength: LONGEST_ORGANISATION_NAME };
export const PROVINCE: Limits = { maxLength: LONGEST_PROVINCE, optional: true };

export const AT_ACCOUNT: ProblemFields = {
  "account-exists": ["name", "taken"],
  "weak-password": ["password", "easy"],
  "wrong-password": ["current", "wrong_password"],
};
