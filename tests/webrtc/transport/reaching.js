// A room in a page: sends a moving picture by WHIP, shows what comes by WHEP, and says how the two are connected.
// `only`: the transports of candidates that get through, as a firewall would have it; `port`: of a UDP relay before the
// node, or null; `configuration`: of the peers.
async ([whip, whep, publishing, subscribing, only, port, configuration]) => {
  const through = (answer) =>
    answer
      .split("\r\n")
      .filter((line) => !line.startsWith("a=candidate:") || only.includes(line.split(" ")[2]))
      .map((line) => (port === null ? line : line.replace(/^(a=candidate:\S+ 1 udp .*) \d+ typ/, `$1 ${port} typ`)))
      .join("\r\n");

  const connect = async (peer, url, token) => {
    const begun = performance.now();
    await peer.setLocalDescription();
    const response = await fetch(url, {
      method: "POST",
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/sdp" },
      body: peer.localDescription.sdp,
    });
    if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`);
    const connected = new Promise((resolve, reject) => {
      peer.onconnectionstatechange = () => {
        if (peer.connectionState === "connected") resolve();
        if (peer.connectionState === "failed") reject(new Error("failed"));
      };
    });
    await peer.setRemoteDescription({ type: "answer", sdp: through(await response.text()) });
    await connected;
    return performance.now() - begun;
  };

  const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 180 });
  const context = canvas.getContext("2d");
  let turn = 0;
  setInterval(() => {
    context.fillStyle = `hsl(${(turn += 7)}, 80%, 50%)`;
    context.fillRect(0, 0, 320, 180);
  }, 66);

  const sender = new RTCPeerConnection({ bundlePolicy: "max-bundle", ...configuration });
  sender.addTransceiver(canvas.captureStream(15).getVideoTracks()[0], { direction: "sendonly" });
  const receiver = new RTCPeerConnection({ bundlePolicy: "max-bundle", ...configuration });
  receiver.addTransceiver("video", { direction: "recvonly" });
  window.framesDecoded = 0;
  setInterval(async () => {
    for (const entry of (await receiver.getStats()).values())
      if (entry.type === "inbound-rtp") window.framesDecoded = entry.framesDecoded;
  }, 100);
  window.pairs = async () => {
    const found = [];
    for (const peer of [sender, receiver]) {
      const stats = await peer.getStats();
      const transport = [...stats.values()].find((entry) => entry.type === "transport");
      const pair = stats.get(transport.selectedCandidatePairId);
      const local = stats.get(pair.localCandidateId);
      found.push([local.candidateType, local.protocol, stats.get(pair.remoteCandidateId).address]);
    }
    return found;
  };
  return Promise.all([connect(sender, whip, publishing), connect(receiver, whep, subscribing)]);
}
