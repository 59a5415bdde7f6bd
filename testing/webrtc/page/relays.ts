// The app's own connection behind a firewall that passes nothing but TURN: candidates of an answer that could be dialled
// directly lead nowhere, and all that is left is a relay. With `open` as third word there is none until `wall` is called.

import { BrowserPlayer } from "../../../web/src/webrtc/player";
import { ReconnectingPeer } from "../../../web/src/webrtc/reconnectingPeer";

const [url, token, network] = location.hash.slice(1).split("%20").map(decodeURIComponent) as [string, string, string?];
function wall(): void {
  const Direct = window.RTCPeerConnection;
  const set = Direct.prototype.setRemoteDescription;
  Direct.prototype.setRemoteDescription = function (this: RTCPeerConnection, description: RTCSessionDescriptionInit) {
    const configuration = this.getConfiguration();
    const walled = configuration.iceServers?.length
      ? description.sdp
      : description.sdp?.replace(/a=candidate:.*\r\n/g, "");
    return set.call(this, { ...description, sdp: walled });
  } as typeof set;
  const apply = Direct.prototype.setConfiguration;
  Direct.prototype.setConfiguration = function (this: RTCPeerConnection, configuration: RTCConfiguration) {
    apply.call(this, { ...configuration, iceTransportPolicy: "relay" });
  };
}

if (network !== "open") wall();

const states: [string, number][] = [];
const begun = performance.now();
const player = new ReconnectingPeer(
  () => new BrowserPlayer(1, 0),
  () => ({ url, token }),
  () => {
    if (states.at(-1)?.[0] !== player.state) states.push([player.state, Math.round(performance.now() - begun)]);
  },
);
player.start();
Object.assign(window, { player, states, wall, restart: () => player.peer?.restart({ url, token }) });
