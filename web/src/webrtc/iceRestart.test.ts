import { expect, it } from "vitest";
import { iceCredentials, restartFragment, withCredentials } from "./iceRestart";

const OFFER = ["v=0", "m=video 9 UDP/TLS/RTP/SAVPF 96", "a=ice-ufrag:new1", "a=ice-pwd:secret1", "a=mid:0", ""].join("\r\n");

it("carries the offer's new credentials to the server and the server's into the answer", () => {
  expect(iceCredentials(restartFragment(OFFER))).toEqual({ ufrag: "new1", pwd: "secret1" });
  expect(withCredentials(OFFER, { ufrag: "u2", pwd: "p2" })).toBe(OFFER.replace("new1", "u2").replace("secret1", "p2"));
  expect(iceCredentials("v=0\r\n")).toBeNull();
});
