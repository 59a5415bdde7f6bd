// One WHIP or WHEP connection over a real RTCPeerConnection: made once, used once, closed once.

import type { Grant } from "../api/types";
import { iceCredentials, restartFragment, withCredentials } from "./iceRestart";
import { type Sample, sampleOf } from "./statsSample";
import { isTurnNeeded, recordRoute, requireTurn, setTurnServers, usableTurnServers } from "./turnServers";
import { deleteResource, patchRestart, postOffer, putLayout, type Resource, SignalingError } from "./whip";

export type PeerState = "new" | "connecting" | "connected" | "disconnected" | "failed" | "closed";

/** What the call logic needs of a connection, so that it can be tried without a browser. */
export interface Peer {
  readonly state: PeerState;
  onState: (() => void) | null;
  /** Offer and answer. Raises `SignalingError`. */
  connect(grant: Grant): Promise<void>;
  /** New ICE credentials on the same DTLS association. Raises `SignalingError`. */
  restart(grant: Grant): Promise<void>;
  sample(): Promise<Sample>;
  /** Ends it here and, by DELETE, there. `leaving`: the page goes away, the request must outlive it. */
  close(grant: Grant | null, leaving?: boolean): void;
}

const CERTIFICATE_MARGIN_MS = 86_400_000;
let certificate: Promise<RTCCertificate> | null = null;
let certificateExpires = 0;

/** One key for all connections of this page, made ahead of time; a new one before the old one ends. */
async function ownCertificate(): Promise<RTCCertificate> {
  if (certificate === null || certificateExpires < Date.now() + CERTIFICATE_MARGIN_MS) {
    certificateExpires = Infinity;
    certificate = RTCPeerConnection.generateCertificate({ name: "ECDSA", namedCurve: "P-256" } as EcKeyGenParams);
    certificateExpires = (await certificate).expires;
  }
  return certificate;
}

/** `addTransceivers` adds the transceivers; `amend` changes the offer for the other side only. The offer is made at once: all that is left for later is to send it. */
export class BrowserPeer implements Peer {
  onState: (() => void) | null = null;
  private readonly ready: Promise<RTCPeerConnection>;
  private connection: RTCPeerConnection | null = null;
  private offer = "";
  private resource: Resource | null = null;
  private hasConnected = false;
  private readonly closing = new AbortController();

  constructor(
    addTransceivers: (connection: RTCPeerConnection) => void,
    private readonly amend: (offer: string) => string = (offer) => offer,
  ) {
    this.ready = this.prepare(addTransceivers);
    this.ready.catch(() => undefined); // told to whoever connects
  }

  get state(): PeerState {
    if (this.closing.signal.aborted) return "closed";
    return this.connection?.connectionState ?? "new";
  }

  async connect(grant: Grant): Promise<void> {
    const connection = await this.ready;
    if (this.closing.signal.aborted) throw new SignalingError(0);
    const apply = (): Promise<void> => connection.setLocalDescription({ type: "offer", sdp: this.offer });
    // The offer's text is known before it is applied: both happen at the same time. But applying begins to gather, and
    // where relays are needed the answer is to name them first.
    const appliedEarly = isTurnNeeded() ? undefined : apply();
    const [resource] = await Promise.all([postOffer(grant, this.amend(this.offer), this.closing.signal), appliedEarly]);
    this.resource = resource;
    setTurnServers(resource.iceServers);
    if (this.closing.signal.aborted) {
      deleteResource(resource, grant, false);
      throw new SignalingError(0);
    }
    if (appliedEarly === undefined) {
      setIceServers(connection, usableTurnServers());
      await apply();
    }
    await connection.setRemoteDescription({ type: "answer", sdp: resource.answer });
  }

  async restart(grant: Grant): Promise<void> {
    const { connection, resource } = this;
    if (connection === null || resource === null || this.closing.signal.aborted) throw new SignalingError(0);
    setIceServers(connection, usableTurnServers({ lost: true }));
    const offer = await connection.createOffer({ iceRestart: true });
    await connection.setLocalDescription(offer);
    const fragment = await patchRestart(resource, grant, restartFragment(offer.sdp ?? ""), this.closing.signal);
    const credentials = iceCredentials(fragment);
    if (credentials === null) throw new SignalingError(200);
    resource.answer = withCredentials(resource.answer, credentials);
    await connection.setRemoteDescription({ type: "answer", sdp: resource.answer });
    this.hasConnected = connection.connectionState === "connected"; // the server is there: what keeps it away is on the way
  }

  /** Tell how large the slots are shown, in device pixels by mid; 0: not at all. Raises `SignalingError`. */
  async layout(grant: Grant, heights: Readonly<Record<string, number>>): Promise<void> {
    if (this.resource === null || this.closing.signal.aborted) throw new SignalingError(0);
    await putLayout(this.resource, grant, heights, this.closing.signal);
  }

  async sample(): Promise<Sample> {
    const sample = sampleOf(this.connection === null ? [] : entriesOf(await this.connection.getStats()));
    recordRoute(sample.relayed);
    return sample;
  }

  close(grant: Grant | null, leaving = false): void {
    if (this.closing.signal.aborted) return;
    this.closing.abort();
    if (this.resource !== null && !this.hasConnected) requireTurn();
    if (this.resource !== null && grant !== null) deleteResource(this.resource, grant, leaving);
    if (this.connection !== null) {
      this.connection.onconnectionstatechange = null;
      this.connection.close();
    }
  }

  private async prepare(addTransceivers: (connection: RTCPeerConnection) => void): Promise<RTCPeerConnection> {
    const connection = new RTCPeerConnection({
      certificates: [await ownCertificate()],
      bundlePolicy: "max-bundle",
      iceServers: [], // the bridge is dialled directly, or by relays that it names; no third party is ever asked
    });
    if (this.closing.signal.aborted) {
      connection.close();
      throw new SignalingError(0);
    }
    this.connection = connection;
    connection.onconnectionstatechange = () => {
      if (connection.connectionState === "connected" && !this.hasConnected) {
        this.hasConnected = true;
        this.sample().catch(() => undefined); // for the relays' sake, should nobody else ask
      }
      this.onState?.();
    };
    addTransceivers(connection);
    const offer = await connection.createOffer();
    this.offer = offer.sdp ?? "";
    return connection;
  }
}

function setIceServers(connection: RTCPeerConnection, iceServers: RTCIceServer[]): void {
  if (iceServers.length > 0) connection.setConfiguration({ ...connection.getConfiguration(), iceServers });
}

function entriesOf(report: RTCStatsReport): RTCStats[] {
  const entries: RTCStats[] = [];
  report.forEach((entry: RTCStats) => entries.push(entry));
  return entries;
}
