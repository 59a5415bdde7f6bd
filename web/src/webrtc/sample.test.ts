import { expect, it } from "vitest";
import { EMPTY_SAMPLE, isWeak, sampleOf } from "./sample";

it("adds up what getStats says, by slot", () => {
  const sample = sampleOf([
    { type: "inbound-rtp", kind: "video", mid: "0", framesDecoded: 12, packetsReceived: 100, packetsLost: 1 },
    { type: "inbound-rtp", kind: "video", mid: "0", framesDecoded: 3, packetsReceived: 10, packetsLost: 0 },
    { type: "inbound-rtp", kind: "audio", mid: "1", totalAudioEnergy: 0.5, packetsReceived: 50, packetsLost: 0 },
    { type: "candidate-pair", nominated: true, currentRoundTripTime: 0.02 },
    { type: "transport" },
  ]);
  expect(sample).toEqual({
    framesDecoded: { "0": 15 },
    audioEnergy: { "1": 0.5 },
    packets: 160,
    lost: 1,
    framesSent: 0,
    roundTrip: 0.02,
  });
});

it("calls a connection weak by its loss of late, or its round trip", () => {
  const at = (packets: number, lost: number, roundTrip: number | null = 0.02) => ({ ...EMPTY_SAMPLE, packets, lost, roundTrip });
  expect(isWeak(at(1000, 500), at(1100, 501))).toBe(false);
  expect(isWeak(at(1000, 0), at(1090, 10))).toBe(true);
  expect(isWeak(at(1000, 0), at(1001, 1))).toBe(false);
  expect(isWeak(at(1000, 0), at(1100, 0, 0.6))).toBe(true);
});
