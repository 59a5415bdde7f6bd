// Receive connections (WHEP): a fixed number of video and audio slots; which room is in which slot is the node's decision.

import type { Grant } from "../api/types";
import type { Heights } from "./layoutSender";
import { BrowserPeer, type Peer } from "./peer";

export interface PlayerPeer extends Peer {
  /** The slots' tracks by mid, in the order of the offer; complete once connected. */
  readonly tracks: ReadonlyMap<string, MediaStreamTrack>;
  /** How large they are shown, in device pixels by mid; 0: not at all. Raises `SignalingError`. */
  layout(grant: Grant, heights: Heights): Promise<void>;
}

export class BrowserPlayer extends BrowserPeer implements PlayerPeer {
  private readonly transceivers: RTCRtpTransceiver[];

  constructor(
    readonly video: number,
    readonly audio: number,
  ) {
    const transceivers: RTCRtpTransceiver[] = [];
    super((connection) => {
      for (let slot = 0; slot < video; slot += 1) {
        transceivers.push(connection.addTransceiver("video", { direction: "recvonly" }));
      }
      for (let slot = 0; slot < audio; slot += 1) {
        transceivers.push(connection.addTransceiver("audio", { direction: "recvonly" }));
      }
    });
    this.transceivers = transceivers;
  }

  get tracks(): ReadonlyMap<string, MediaStreamTrack> {
    const tracks = new Map<string, MediaStreamTrack>();
    for (const { mid, receiver } of this.transceivers) {
      if (mid !== null) tracks.set(mid, receiver.track);
    }
    return tracks;
  }
}
