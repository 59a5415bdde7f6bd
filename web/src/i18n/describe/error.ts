import { ApiError } from "../../api/http";
import type { Words } from "../vi/words";

/** A failed request in words: by the server's code, else (a proxy's answer) by the status. */
export function errorText(words: Words, error: unknown): string {
  const { error: say } = words;
  if (!(error instanceof ApiError)) return say.unknown(error instanceof Error ? error.name : "error");
  if (error.code === "offline") return say.offline;
  if (error.code === "timeout") return say.timeout;
  if (error.status === 429 && error.retryAfterS !== null) return say.tooMany(error.retryAfterS);
  if (Object.hasOwn(words.refusal, error.code)) return words.refusal[error.code as keyof Words["refusal"]];
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
