// The app's own connections, beside a firewall that begins to drop UDP in the middle of a call: the test cuts the relay
// that all UDP candidates lead to.

import type { BrowserPeer } from "../../../web/src/webrtc/peer";
import { BrowserPlayer } from "../../../web/src/webrtc/player";
import { BrowserPublisher } from "../../../web/src/webrtc/publisher";
import { ReconnectingPeer } from "../../../web/src/webrtc/reconnectingPeer";

const [whip, whep, token, port] = location.hash.slice(1).split("%20").map(decodeURIComponent) as [string, string, string, string];
const set = RTCPeerConnection.prototype.setRemoteDescription;
RTCPeerConnection.prototype.setRemoteDescription = function (this: RTCPeerConnection, description: RTCSessionDescriptionInit) {
  const sdp = description.sdp?.replace(/^(a=candidate:\S+ 1 udp .*) \d+ typ/gm, `$1 ${port} typ`);
  return set.call(this, { ...description, sdp });
} as typeof set;

const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 180 });
let turn = 0;
setInterval(() => {
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  context.fillStyle = `hsl(${(turn += 7)}, 80%, 50%)`;
  context.fillRect(0, 0, 320, 180);
}, 66);
const picture = canvas.captureStream(15);

const player = new ReconnectingPeer(
  () => new BrowserPlayer(1, 0),
  () => ({ url: whep, token }),
  () => undefined,
);
const publisher = new ReconnectingPeer(
  () => {
    const made = new BrowserPublisher();
    void made.send(picture);
    return made;
  },
  () => ({ url: whip, token }),
  () => undefined,
);
for (const each of [player, publisher]) each.start();

/** "connected tcp" or the like, of each; `window.both` where they are the same. */
async function ways(): Promise<string[]> {
  const found: string[] = [];
  for (const { peer, state } of [player, publisher] as ReconnectingPeer<BrowserPeer>[]) {
    const stats = await (peer as unknown as { connection: RTCPeerConnection } | null)?.connection?.getStats();
    const entries = new Map<string, Record<string, string>>();
    stats?.forEach((entry: Record<string, string>) => entries.set(entry.id ?? "", entry));
    const transport = [...entries.values()].find((entry) => entry.type === "transport");
    const pair = entries.get(transport?.selectedCandidatePairId ?? "");
    found.push(`${state} ${entries.get(pair?.localCandidateId ?? "")?.protocol ?? ""}`);
  }
  return found;
}
setInterval(async () => {
  const [one, other] = await ways();
  Object.assign(window, { both: one === other ? one : "" });
}, 100);
