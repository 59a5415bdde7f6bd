// Receive connections (WHEP) with a fixed number of video and audio slots. The node decides which room each slot carries.

import type { Grant } from "../api/types";
import type { Heights } from "./layoutSender";
import { BrowserPeer, type Peer } from "./peer";

export interface PlayerPeer extends Peer {
  /** Each slot's track by its mid, in the offer's order; complete once connected. */
  readonly tracks: ReadonlyMap<string, MediaStreamTrack>;
  /** Sends the height at which each slot is shown, in device pixels by mid; 0: not shown. Raises `SignalingError`. */
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
