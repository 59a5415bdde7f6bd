// Requests to the controller. Every failure becomes an `ApiError` with a stable code that the pages have words for.

import type { Me } from "./types";

const REQUEST_TIMEOUT_MS = 15_000;

/** What is wrong with one field: `where` is a JSON pointer under /body or /query. */
export interface FieldError {
  where: string;
  code: string;
}

/** Members of a problem beside its type. `errors`: of single fields; `reason`: why a password is too weak. */
interface More {
  errors?: readonly FieldError[];
  reason?: string;
}

/** `code` is the last part of the problem's `type`, or "offline" / "timeout" / "http-<status>". */
export class ApiError extends Error {
  readonly errors: readonly FieldError[];
  readonly reason: string;

  constructor(
    readonly status: number,
    readonly code: string,
    readonly retryAfterS: number | null = null,
    { errors = [], reason = "" }: More = {},
  ) {
    super(`${status} ${code}`);
    this.name = "ApiError";
    this.errors = errors;
    this.reason = reason;
  }
}

let csrf = "";

/** The token of the current login, sent with every unsafe request. */
export function setCsrf(token: string): void {
  csrf = token;
}

interface Options {
  ifMatch?: number;
  timeoutMs?: number;
}

export async function request<T>(method: string, path: string, body?: unknown, options: Options = {}): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET" && csrf !== "") headers["X-CSRF-Token"] = csrf;
  if (options.ifMatch !== undefined) headers["If-Match"] = `"${options.ifMatch}"`;
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      headers,
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(options.timeoutMs ?? REQUEST_TIMEOUT_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (error) {
    throw new ApiError(0, error instanceof DOMException && error.name === "TimeoutError" ? "timeout" : "offline");
  }
  if (!response.ok) throw await failure(response);
  if (response.status === 204) return undefined as T;
  try {
    return (await response.json()) as T;
  } catch {
    throw new ApiError(response.status, "not-json");
  }
}

/** The problem (RFC 9457) in a response as an `ApiError`; anything else by its status. */
async function failure(response: Response): Promise<ApiError> {
  const seconds = Number(response.headers.get("Retry-After") ?? NaN);
  const retryAfterS = Number.isFinite(seconds) ? seconds : null;
  let code = `http-${response.status}`;
  let more: More = {};
  try {
    const problem = (await response.json()) as More & { type?: unknown };
    more = problem;
    if (typeof problem.type === "string" && problem.type !== "about:blank") {
      code = problem.type.split("/").at(-1) ?? code;
    }
  } catch {
    // Not a problem document: a proxy's page, an empty body. The status says enough.
  }
  return new ApiError(response.status, code, retryAfterS, more);
}

export const get = <T>(path: string): Promise<T> => request<T>("GET", path);
export const post = <T>(path: string, body?: unknown, options?: Options): Promise<T> =>
  request<T>("POST", path, body, options);
export const put = <T>(path: string, body: unknown): Promise<T> => request<T>("PUT", path, body);
export const remove = (path: string): Promise<void> => request<void>("DELETE", path);

export const me = (): Promise<Me> => get<Me>("/me");
