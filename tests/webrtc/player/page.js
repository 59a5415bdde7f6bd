// Plays the WHEP endpoint named by the page's address: ?url=…&token=…
import { WebRTCPlayer } from "@eyevinn/webrtc-player";

const asked = new URLSearchParams(location.search);
const player = new WebRTCPlayer({
  video: document.querySelector("video"),
  type: "whep",
  iceServers: [], // its default is a third party's server
  statsTypeFilter: "^inbound-rtp",
});
window.framesDecoded = 0;
player.on("stats:inbound-rtp", (report) => {
  if (report.kind === "video") window.framesDecoded = report.framesDecoded;
});
await player.load(new URL(asked.get("url")), `Bearer ${asked.get("token")}`);
window.stop = () => player.unload();
