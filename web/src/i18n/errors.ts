import { ApiError } from "../api/http";
import type { Words } from "./vi";

/** What to tell a person about a failed request. */
export function errorText(words: Words, error: unknown): string {
  const { error: say } = words;
  if (!(error instanceof ApiError)) return say.unknown(error instanceof Error ? error.name : "error");
  if (error.code === "offline") return say.offline;
  if (error.code === "timeout") return say.timeout;
  if (error.code === "weak-password") return say.passwordWeak[error.reason as keyof typeof say.passwordWeak] ?? say.invalid;
  switch (error.status) {
    case 401:
      return say.login;
    case 403:
      return say.forbidden;
    case 404:
      return say.notFound;
    case 409:
      return say.conflict;
    case 412:
    case 428:
      return say.changed;
    case 422:
    case 400:
      return say.invalid;
    case 429:
      return say.tooMany(error.retryAfterS ?? 30);
    case 502:
    case 503:
      return say.busy;
    case 504:
      return say.timeout;
    default:
      return say.unknown(error.code);
  }
}
