// The send connection (WHIP): one picture, one sound. It may be set up before the camera has opened.

import { BrowserPeer, type Peer } from "./peer";

export interface PublisherPeer extends Peer {
  /** Send these from now on; null: send nothing. */
  send(stream: MediaStream | null): Promise<void>;
}

const VIDEO_MAX_BPS = 1_500_000;

export class BrowserPublisher extends BrowserPeer implements PublisherPeer {
  private readonly senders: RTCRtpSender[];
  private wanted: MediaStream | null = null;

  constructor() {
    const senders: RTCRtpSender[] = [];
    // One stream for both, so that receivers keep lips and voice together.
    const together = new MediaStream();
    super((connection) => {
      for (const kind of ["audio", "video"] as const) {
        const { sender } = connection.addTransceiver(kind, {
          direction: "sendonly",
          streams: [together],
          ...(kind === "video" ? { sendEncodings: [{ maxBitrate: VIDEO_MAX_BPS }] } : {}),
        });
        senders.push(sender);
      }
      void this.send(this.wanted);
    });
    this.senders = senders;
  }

  async send(stream: MediaStream | null): Promise<void> {
    this.wanted = stream;
    const [audio, video] = this.senders;
    await Promise.all([
      audio?.replaceTrack(stream?.getAudioTracks()[0] ?? null),
      video?.replaceTrack(stream?.getVideoTracks()[0] ?? null),
    ]).catch(() => undefined); // the connection was closed meanwhile
  }
}
