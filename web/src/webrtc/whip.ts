// WHIP (RFC 9725) and WHEP as an HTTP client: one offer, one answer, one resource. No trickle: the server is ICE-lite and
// dials nobody, so an offer without candidates is complete.

import type { Grant } from "../api/types";
import { iceServers } from "./linkHeader";

const POST_TIMEOUT_MS = 5_000;

/** The other side did not take the offer. `status` 0: not reached. */
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
  /** What to use where the server cannot be reached directly (RFC 9725 4.6). */
  iceServers: RTCIceServer[];
}

/** POST an offer (RFC 9725 4.2). Raises `SignalingError`. */
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

/** PATCH new ICE credentials (RFC 9725 4.3.3); returns the server's fragment. Raises `SignalingError`. */
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

/** PUT how high the tile of each slot is. Raises `SignalingError`. */
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

/** DELETE the resource; nobody waits for it, and the server also notices by itself. `keepalive` outlives the page. */
export function deleteResource(resource: Resource, grant: Grant, keepalive: boolean): void {
  fetch(resource.url, {
    method: "DELETE",
    headers: { Authorization: `Bearer ${grant.token}` },
    credentials: "omit",
    keepalive,
  }).catch(() => undefined);
}
