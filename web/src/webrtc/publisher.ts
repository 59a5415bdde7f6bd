// Send connections (WHIP): a room's camera in simulcast layers and its microphone, or a shared screen. A connection may be
// up before the camera is open.

import { withSlidesContent } from "./contentAttribute";
import { BrowserPeer, type Peer } from "./peer";
import { LAYERS, withActiveLayers } from "./simulcast";

export interface PublisherPeer extends Peer {
  /** Sends these tracks from now on; null: none. */
  send(stream: MediaStream | null): Promise<void>;
  /** `layers`: by rid, whether anybody receives it. */
  setLayers(layers: Readonly<Record<string, boolean>>): Promise<void>;
}

const SCALABILITY_MODE = "L1T2"; // the bridge can drop half the frames for a weak link
const SCREEN_MAX_BPS = 1_500_000;
const SCREEN_MAX_FPS = 15;

/** For a camera and microphone. */
export class BrowserPublisher extends BrowserPeer implements PublisherPeer {
  private readonly senders: RTCRtpSender[];
  private stream: MediaStream | null = null;
  private layers: Readonly<Record<string, boolean>> = {};
  private parametersChange: Promise<void> = Promise.resolve();

  constructor() {
    const senders: RTCRtpSender[] = [];
    // One stream for both tracks, so that receivers synchronise them.
    const together = new MediaStream();
    super((connection) => {
      const audio = connection.addTransceiver("audio", { direction: "sendonly", streams: [together] });
      preferRedundancy(audio);
      senders.push(audio.sender, addCamera(connection, together).sender);
      void this.send(this.stream);
    });
    this.senders = senders;
  }

  async send(stream: MediaStream | null): Promise<void> {
    this.stream = stream;
    const [audio, video] = this.senders;
    await Promise.all([
      audio?.replaceTrack(stream?.getAudioTracks()[0] ?? null),
      video?.replaceTrack(stream?.getVideoTracks()[0] ?? null),
    ]).catch(() => undefined); // the connection was closed meanwhile
  }

  /** Changes are applied one by one: parameters must be set before they are read again. */
  setLayers(layers: Readonly<Record<string, boolean>>): Promise<void> {
    this.layers = layers;
    this.parametersChange = this.parametersChange.then(() => this.applyLayers()).catch(() => undefined); // the connection was closed meanwhile
    return this.parametersChange;
  }

  private async applyLayers(): Promise<void> {
    const video = this.senders[1];
    if (video === undefined || this.state !== "connected") return;
    const parameters = video.getParameters();
    const encodings = withActiveLayers(parameters.encodings, this.layers);
    if (encodings !== null) await video.setParameters({ ...parameters, encodings });
  }
}

/** For a shared screen: one sharp picture, few frames, no sound, which would echo. */
export class BrowserScreenPublisher extends BrowserPeer {
  constructor(screen: MediaStreamTrack) {
    super(
      (connection) => {
        connection.addTransceiver(screen, {
          direction: "sendonly",
          streams: [new MediaStream([screen])],
          sendEncodings: [{ maxBitrate: SCREEN_MAX_BPS, maxFramerate: SCREEN_MAX_FPS }],
        });
      },
      withSlidesContent,
    );
  }
}

function addCamera(connection: RTCPeerConnection, stream: MediaStream): RTCRtpTransceiver {
  const add = (more: object): RTCRtpTransceiver =>
    connection.addTransceiver("video", {
      direction: "sendonly",
      streams: [stream],
      sendEncodings: LAYERS.map((layer) => ({ ...layer, ...more })),
    });
  try {
    return add({ scalabilityMode: SCALABILITY_MODE });
  } catch {
    return add({}); // a browser without this scalability mode
  }
}

/** Prefers redundant audio (RFC 2198) where the browser has it: each packet repeats the one before. */
function preferRedundancy(transceiver: RTCRtpTransceiver): void {
  const codecs = RTCRtpSender.getCapabilities("audio")?.codecs ?? [];
  const isRedundant = (codec: { mimeType: string }): boolean => codec.mimeType.toLowerCase() === "audio/red";
  if (!codecs.some(isRedundant)) return;
  transceiver.setCodecPreferences([...codecs.filter(isRedundant), ...codecs.filter((codec) => !isRedundant(codec))]);
}
