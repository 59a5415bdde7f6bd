// Makes the page's PC one of two cores, of which pictures take all while `window.decodingIsSlow`, and nothing otherwise: in
// what getStats() says. There the page learns of it; and what this machine really takes depends on what else it does.
(() => {
  const CORES = 2;
  Object.defineProperty(navigator, "hardwareConcurrency", { get: () => CORES });
  window.decodingIsSlow = false;

  const spent = new Map(); // seconds of work until when, by the id of a received picture
  const { getStats } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.getStats = async function () {
    const told = new Map(await getStats.call(this));
    const pictures = [...told.values()].filter(({ type, kind }) => type === "inbound-rtp" && kind === "video");
    for (const picture of pictures) {
      const { id, timestamp } = picture;
      const before = spent.get(id) ?? { seconds: 0, timestamp };
      const share = window.decodingIsSlow ? CORES / pictures.length : 0;
      const seconds = before.seconds + ((timestamp - before.timestamp) / 1000) * share;
      spent.set(id, { seconds, timestamp });
      told.set(id, { ...picture, totalDecodeTime: seconds, framesDropped: 0 });
    }
    return told;
  };
})();
