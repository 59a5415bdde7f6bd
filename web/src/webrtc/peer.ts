// One WHIP or WHEP connection over an RTCPeerConnection. It connects once; a reconnect makes another.

import type { Grant } from "../api/types";
import { iceCredentials, restartFragment, withCredentials } from "./iceRestart";
import { type Sample, sampleOf } from "./statsSample";
import { isTurnNeeded, recordRoute, requireTurn, setTurnServers, usableTurnServers } from "./turnServers";
import { deleteResource, patchRestart, postOffer, putLayout, type Resource, SignalingError } from "./whip";

export type PeerState = "new" | "connecting" | "connected" | "disconnected" | "failed" | "closed";

/** What the call needs of a connection; tests implement it without a browser. */
export interface Peer {
  readonly state: PeerState;
  onState: (() => void) | null;
  /** Exchanges offer and answer. Raises `SignalingError`. */
  connect(grant: Grant): Promise<void>;
  /** Restarts ICE; the DTLS association stays. Raises `SignalingError`. */
  restart(grant: Grant): Promise<void>;
  sample(): Promise<Sample>;
  /** Closes the connection, and the server's resource by DELETE. `leaving`: the page is closing, and the request must outlive it. */
  close(grant: Grant | null, leaving?: boolean): void;
}

const CERTIFICATE_MARGIN_MS = 86_400_000;
let certificate: Promise<RTCCertificate> | null = null;
let certificateExpires = 0;

/** One certificate for all connections of this page; replaced a day before it expires. */
async function ownCertificate(): Promise<RTCCertificate> {
  if (certificate === null || certificateExpires < Date.now() + CERTIFICATE_MARGIN_MS) {
    certificateExpires = Infinity;
    certificate = RTCPeerConnection.generateCertificate({ name: "ECDSA", namedCurve: "P-256" } as EcKeyGenParams);
    certificateExpires = (await certificate).expires;
  }
  return certificate;
}

/** `amend` changes the offer that is sent, not the one that is applied. The offer is made at once: `connect` has only to send it. */
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
    this.ready.catch(() => undefined); // `connect` raises it
  }

  get state(): PeerState {
    if (this.closing.signal.aborted) return "closed";
    return this.connection?.connectionState ?? "new";
  }

  async connect(grant: Grant): Promise<void> {
    const connection = await this.ready;
    if (this.closing.signal.aborted) throw new SignalingError(0);
    const apply = (): Promise<void> => connection.setLocalDescription({ type: "offer", sdp: this.offer });
    // The offer is sent and applied at the same time. But applying it starts to gather candidates: where TURN servers are
    // needed, the answer must name them first.
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
    this.hasConnected = connection.connectionState === "connected"; // the server is reachable, so a failure from here on is the network's
  }

  /** Sends the height at which each slot is shown, in device pixels by mid; 0: not shown. Raises `SignalingError`. */
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
      iceServers: [], // only the bridge's own TURN servers, which its answer names; never a third party's
    });
    if (this.closing.signal.aborted) {
      connection.close();
      throw new SignalingError(0);
    }
    this.connection = connection;
    connection.onconnectionstatechange = () => {
      if (connection.connectionState === "connected" && !this.hasConnected) {
        this.hasConnected = true;
        this.sample().catch(() => undefined); // records the route, should nobody else take a sample
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
