// The SDP of an ICE restart (RFC 8840 9): reads and replaces ufrag and password, nothing else.

export interface IceCredentials {
  ufrag: string;
  pwd: string;
}

export function iceCredentials(sdp: string): IceCredentials | null {
  const ufrag = /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1];
  const pwd = /^a=ice-pwd:(\S+)/m.exec(sdp)?.[1];
  return ufrag === undefined || pwd === undefined ? null : { ufrag, pwd };
}

/** The body of the PATCH: the offer's new credentials with its first media line. */
export function restartFragment(offer: string): string {
  const credentials = iceCredentials(offer);
  const media = /^m=\S+/m.exec(offer)?.[0] ?? "m=audio";
  const mid = /^a=mid:(\S+)/m.exec(offer)?.[1] ?? "0";
  return [
    `a=ice-ufrag:${credentials?.ufrag ?? ""}`,
    `a=ice-pwd:${credentials?.pwd ?? ""}`,
    `${media} 9 UDP/TLS/RTP/SAVPF 0`,
    `a=mid:${mid}`,
    "",
  ].join("\r\n");
}

/** The answer in use with the server's new credentials. */
export function withCredentials(answer: string, credentials: IceCredentials): string {
  return answer
    .replace(/^a=ice-ufrag:\S+/gm, `a=ice-ufrag:${credentials.ufrag}`)
    .replace(/^a=ice-pwd:\S+/gm, `a=ice-pwd:${credentials.pwd}`);
}
