// Runs in a page before anything else: `counted()` tells what the page has made and still has open or cannot let go of.
(() => {
  const made = new Map();
  const reachable = (kind) => (made.get(kind) ?? []).filter((each) => each.deref() !== undefined);
  const note = (kind, thing) => made.set(kind, [...reachable(kind), new WeakRef(thing)]);

  for (const kind of ["RTCPeerConnection", "AudioContext", "MediaStream", "WebSocket", "AbortController"]) {
    window[kind] = new Proxy(window[kind], {
      construct(real, options) {
        const thing = new real(...options);
        note(kind, thing);
        return thing;
      },
    });
  }

  const devices = navigator.mediaDevices;
  const open = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (wanted) => {
    const stream = await open(wanted);
    for (const track of stream.getTracks()) note("capture", track);
    return stream;
  };

  const timers = new Set();
  const { setInterval, setTimeout, clearTimeout } = window;
  window.setInterval = (...options) => {
    const timer = setInterval(...options);
    timers.add(timer);
    return timer;
  };
  window.setTimeout = (run, ...options) => {
    const timer = setTimeout((...given) => {
      timers.delete(timer);
      run(...given);
    }, ...options);
    timers.add(timer);
    return timer;
  };
  window.clearInterval = window.clearTimeout = (timer) => {
    timers.delete(timer);
    clearTimeout(timer);
  };

  const isOpen = {
    RTCPeerConnection: (connection) => connection.connectionState !== "closed",
    AudioContext: (context) => context.state !== "closed",
    capture: (track) => track.readyState === "live",
    WebSocket: (socket) => socket.readyState !== WebSocket.CLOSED,
  };
  window.counted = () => {
    const counts = { timers: timers.size };
    for (const kind of made.keys()) {
      const things = reachable(kind).map((each) => each.deref());
      counts[kind] = things.length;
      if (kind in isOpen) counts[`open ${kind}`] = things.filter(isOpen[kind]).length;
    }
    return counts;
  };
})();
