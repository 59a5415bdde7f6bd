// A room in a real browser, without our app: publishes by WHIP and plays by WHEP, and says what getStats says.

const connections = {};

async function exchange(name, connection, url, token, change) {
  const offer = await connection.createOffer();
  await connection.setLocalDescription(offer);
  const answer = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/sdp", Authorization: `Bearer ${token}` },
    body: change(offer.sdp),
  });
  if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
  connection.resource = new URL(answer.headers.get("Location"), url).href;
  connection.token = token;
  await connection.setRemoteDescription({ type: "answer", sdp: await answer.text() });
  connections[name]?.close();
  connections[name] = connection;
  return connection.remoteDescription.sdp;
}

function prefer(transceiver, codec) {
  const known = RTCRtpReceiver.getCapabilities(transceiver.receiver.track.kind).codecs;
  const first = known.filter((each) => each.mimeType.toLowerCase() === codec.toLowerCase());
  const others = known.filter((each) => !first.includes(each));
  transceiver.setCodecPreferences([...first, ...others]);
}

/** A picture that moves, at a size of one's own: fake cameras have one size only. */
function drawn(width, height, colour) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  let frame = 0;
  setInterval(() => {
    frame += 1;
    context.fillStyle = colour;
    context.fillRect(0, 0, width, height);
    context.fillStyle = "white";
    for (let i = 0; i < 12; i += 1) {
      context.fillRect((frame * (3 + i) + i * 97) % width, (i * height) / 12, width / 20, height / 16);
    }
  }, 50);
  return canvas.captureStream(20).getVideoTracks()[0];
}

async function camera(width, height) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width, height } });
  return stream.getVideoTracks()[0];
}

/** `real`: the browser's own fake camera, which goes on in a tab that is not seen; Firefox slows down timers there. */
async function publish({ url, token, width = 1280, height = 720, colour = "teal", real = false, layers = 3, codec, red = false, content, sound = true }) {
  const connection = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  const encodings = [
    { rid: "q", scaleResolutionDownBy: 4, maxBitrate: 150_000, scalabilityMode: "L1T2" },
    { rid: "h", scaleResolutionDownBy: 2, maxBitrate: 500_000, scalabilityMode: "L1T2" },
    { rid: "f", scaleResolutionDownBy: 1, maxBitrate: 1_500_000, scalabilityMode: "L1T2" },
  ];
  if (sound) {
    const microphone = await navigator.mediaDevices.getUserMedia({ audio: true });
    const audio = connection.addTransceiver(microphone.getAudioTracks()[0], { direction: "sendonly" });
    if (red) prefer(audio, "audio/red");
  }
  const picture = real ? await camera(width, height) : drawn(width, height, colour);
  const video = connection.addTransceiver(picture, {
    direction: "sendonly",
    sendEncodings: layers === 1 ? [{ maxBitrate: 1_500_000 }] : encodings.slice(0, layers),
  });
  if (codec) prefer(video, codec);
  const change = content ? (sdp) => sdp.replace(/(m=video[^]*?a=mid:[^\r]*\r\n)/, `$1a=content:${content}\r\n`) : (sdp) => sdp;
  return exchange("publish", connection, url, token, change);
}

async function play({ url, token, video = 1, audio = 1, codec }) {
  const connection = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  for (let i = 0; i < video; i += 1) {
    const transceiver = connection.addTransceiver("video", { direction: "recvonly" });
    if (codec) prefer(transceiver, codec);
  }
  for (let i = 0; i < audio; i += 1) connection.addTransceiver("audio", { direction: "recvonly" });
  connection.ontrack = ({ track }) => {
    const element = Object.assign(document.createElement(track.kind), { autoplay: true, muted: true, srcObject: new MediaStream([track]) });
    element.width = 160;
    document.body.append(element);
  };
  return exchange("play", connection, url, token, (sdp) => sdp);
}

async function layout(heights) {
  const { resource, token } = connections.play;
  const slots = Object.fromEntries(Object.entries(heights).map(([mid, height]) => [mid, { height }]));
  const answer = await fetch(`${resource}/layout`, {
    method: "PUT",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
    body: JSON.stringify({ slots }),
  });
  return answer.status;
}

async function activate(rids) {
  const [sender] = connections.publish.getSenders().filter((each) => each.track?.kind === "video");
  const parameters = sender.getParameters();
  for (const encoding of parameters.encodings) encoding.active = rids.includes(encoding.rid);
  await sender.setParameters(parameters);
}

/** The entries of getStats of one kind, as plain objects. */
async function stats(name, type) {
  const found = [];
  (await connections[name].getStats()).forEach((entry) => entry.type === type && found.push(entry));
  return found;
}

function close(name) {
  connections[name]?.close();
  delete connections[name];
}
