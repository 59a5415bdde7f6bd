import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { ScreenGrant } from "../api/types";
import { ScreenShare } from "./screenShare.svelte";

beforeEach(() => {
  const getDisplayMedia = async (): Promise<object> =>
    Promise.resolve({ getVideoTracks: () => [{ contentHint: "", onended: null, stop: () => undefined }] });
  vi.stubGlobal("navigator", { mediaDevices: { getDisplayMedia } });
  vi.stubGlobal("RTCPeerConnection", { generateCertificate: () => new Promise(() => undefined) }); // never connects
});
afterEach(() => void vi.unstubAllGlobals());

const grant = (epoch: string): ScreenGrant => ({ url: "/whip/b", token: "s1", client: "d1-screen", epoch });

/** A share that another machine of the room has replaced. */
async function replaced(): Promise<ScreenShare> {
  const sharing = new ScreenShare(() => grant("e1"));
  await sharing.start();
  await vi.waitFor(() => {
    sharing.sharedBy("d1-screen");
    sharing.sharedBy("t1-screen");
    expect([sharing.active, sharing.replaced]).toEqual([false, true]);
  });
  return sharing;
}

it("says that another machine shares for as long as one does", async () => {
  const sharing = await replaced();
  sharing.sharedBy("t2-screen");
  expect(sharing.replaced).toBe(true);
  sharing.sharedBy(null);
  expect(sharing.replaced).toBe(false);
});

it("says nothing of it in the next lesson", async () => {
  const sharing = await replaced();
  sharing.stop();
  sharing.sharedBy("t1-screen");
  expect(sharing.replaced).toBe(false);
});

it("is published once at each bridge, whether an event or a token brings its epoch first", async () => {
  let epoch = "e1";
  const ask = vi.fn(() => grant(epoch));
  const sharing = new ScreenShare(ask);
  await sharing.start();
  sharing.bridgeChanged("e1");
  sharing.bridgeChanged(null);
  expect(ask).toHaveBeenCalledTimes(1);
  epoch = "e2";
  sharing.bridgeChanged("e2");
  sharing.refresh(grant("e2"));
  expect(ask).toHaveBeenCalledTimes(2);
  epoch = "e3";
  sharing.refresh(grant("e3"));
  expect(ask).toHaveBeenCalledTimes(3);
});
