// The STUN and TURN servers that a WHIP or WHEP server names in its `Link` headers (RFC 9725 4.6).

const PARAMETER = /;\s*([a-z-]+)\s*=\s*(?:"([^"]*)"|([^\s;,"]+))/gi;

/** Such as `<turn:host:3478?transport=udp>; rel="ice-server"; username="…"; credential="…"`. */
export function iceServers(link: string | null): RTCIceServer[] {
  const found: RTCIceServer[] = [];
  for (const [, url, parameters] of (link ?? "").matchAll(/<([^>]*)>((?:\s*;[^,"]*(?:"[^"]*")?)*)/g)) {
    const values = new Map<string, string>();
    for (const [, name, quoted, bare] of (parameters ?? "").matchAll(PARAMETER)) {
      values.set((name ?? "").toLowerCase(), quoted ?? bare ?? "");
    }
    if (url === undefined || values.get("rel") !== "ice-server") continue;
    const [username, credential] = [values.get("username"), values.get("credential")];
    if (/^turns?:/.test(url) && username !== undefined && credential !== undefined) {
      found.push({ urls: url, username, credential });
    } else if (/^stuns?:/.test(url)) {
      found.push({ urls: url });
    }
  }
  return found;
}
