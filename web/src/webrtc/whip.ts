// The HTTP client of WHIP (RFC 9725) and WHEP: one offer, one answer, one resource. No trickle ICE: the server is ICE-lite
// and sends no checks of its own, so an offer needs no candidates.

import type { Grant } from "../api/types";
import { iceServers } from "./linkHeader";

const POST_TIMEOUT_MS = 5_000;

/** The server refused a request. `status` 0: it was not reached. */
export class SignalingError extends Error {
  constructor(
    readonly status: number,
    readonly retryAfterMs: number | null = null,
  ) {
    super(`signalling answered ${status}`);
    this.name = "SignalingError";
  }
}

export interface Resource {
  url: string;
  etag: string | null;
  answer: string;
  /** For networks that do not reach the server directly (RFC 9725 4.6). */
  iceServers: RTCIceServer[];
}

/** Posts an offer (RFC 9725 4.2). Raises `SignalingError`. */
export async function postOffer(grant: Grant, offer: string, gone: AbortSignal): Promise<Resource> {
  let response: Response;
  let answer: string;
  try {
    response = await fetch(grant.url, {
      method: "POST",
      headers: { "Content-Type": "application/sdp", Authorization: `Bearer ${grant.token}` },
      body: offer,
      cache: "no-store",
      credentials: "omit",
      signal: AbortSignal.any([gone, AbortSignal.timeout(POST_TIMEOUT_MS)]),
    });
    answer = await response.text();
  } catch {
    throw new SignalingError(0);
  }
  const location = response.headers.get("Location");
  if (response.status !== 201 || location === null) {
    const seconds = Number(response.headers.get("Retry-After") ?? NaN);
    throw new SignalingError(response.status, Number.isFinite(seconds) ? seconds * 1000 : null);
  }
  return {
    url: new URL(location, response.url).href,
    etag: response.headers.get("ETag"),
    answer,
    iceServers: iceServers(response.headers.get("Link")),
  };
}

/** Patches new ICE credentials (RFC 9725 4.3.3); returns the server's fragment. Raises `SignalingError`. */
export async function patchRestart(
  resource: Resource,
  grant: Grant,
  fragment: string,
  gone: AbortSignal,
): Promise<string> {
  let response: Response;
  try {
    response = await fetch(resource.url, {
      method: "PATCH",
      headers: {
        "Content-Type": "application/trickle-ice-sdpfrag",
        "If-Match": "*",
        Authorization: `Bearer ${grant.token}`,
      },
      body: fragment,
      cache: "no-store",
      credentials: "omit",
      signal: AbortSignal.any([gone, AbortSignal.timeout(POST_TIMEOUT_MS)]),
    });
    if (response.status === 200) return await response.text();
  } catch {
    throw new SignalingError(0);
  }
  throw new SignalingError(response.status);
}

/** Puts the height of each slot's tile, in device pixels by mid. Raises `SignalingError`. */
export async function putLayout(
  resource: Resource,
  grant: Grant,
  heights: Readonly<Record<string, number>>,
  gone: AbortSignal,
): Promise<void> {
  const slots = Object.fromEntries(Object.entries(heights).map(([mid, height]) => [mid, { height }]));
  let status = 0;
  try {
    const response = await fetch(`${resource.url}/layout`, {
      method: "PUT",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${grant.token}` },
      body: JSON.stringify({ slots }),
      cache: "no-store",
      credentials: "omit",
      signal: AbortSignal.any([gone, AbortSignal.timeout(POST_TIMEOUT_MS)]),
    });
    status = response.status;
  } catch {
    throw new SignalingError(0);
  }
  if (status !== 204) throw new SignalingError(status);
}

/** Deletes the resource. Nobody waits for the answer: the server also notices by itself. `keepalive`: the request outlives the page. */
export function deleteResource(resource: Resource, grant: Grant, keepalive: boolean): void {
  fetch(resource.url, {
    method: "DELETE",
    headers: { Authorization: `Bearer ${grant.token}` },
    credentials: "omit",
    keepalive,
  }).catch(() => undefined);
}
