// The simulcast layers of a camera (RFC 8853): one picture in three sizes. The bridge forwards the size that fits each receiver.

export interface Layer {
  rid: string;
  scaleResolutionDownBy: number;
  maxBitrate: number;
}

/** From low to high, as libwebrtc requires: 180p, 360p and 720p of a camera's 720p. */
export const LAYERS: readonly Layer[] = [
  { rid: "q", scaleResolutionDownBy: 4, maxBitrate: 150_000 },
  { rid: "h", scaleResolutionDownBy: 2, maxBitrate: 500_000 },
  { rid: "f", scaleResolutionDownBy: 1, maxBitrate: 1_500_000 },
];

/** The encodings without the layers that nobody receives; null: nothing changes.
 *
 * The lowest layer is always sent: it costs little, and whoever turns to this room sees it at once.
 */
export function withActiveLayers<E extends { rid?: string; active?: boolean }>(
  encodings: readonly E[],
  wanted: Readonly<Record<string, boolean>>,
): E[] | null {
  const changed = encodings.map((each, place) => ({ ...each, active: place === 0 || wanted[each.rid ?? ""] !== false }));
  return changed.some((each, place) => each.active !== (encodings[place]?.active ?? true)) ? changed : null;
}
