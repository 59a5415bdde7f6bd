import { expect, it } from "vitest";
import { EMPTY_SAMPLE, emptySample, isWeak, rise, sampleOf } from "./statsSample";

it("adds up what getStats says of a receive connection, by slot", () => {
  const sample = sampleOf([
    { type: "inbound-rtp", kind: "video", mid: "0", framesDecoded: 12, framesDropped: 2, totalDecodeTime: 0.1, freezeCount: 1, frameHeight: 360, packetsReceived: 100, packetsLost: 1 },
    { type: "inbound-rtp", kind: "video", mid: "0", framesDecoded: 3, packetsReceived: 10, packetsLost: 0, frameHeight: 360 },
    { type: "inbound-rtp", kind: "audio", mid: "1", totalAudioEnergy: 0.5, totalSamplesReceived: 48_000, concealedSamples: 900, silentConcealedSamples: 400, packetsReceived: 50, packetsLost: 0 },
    { type: "candidate-pair", nominated: true, currentRoundTripTime: 0.02 },
    { type: "transport" },
  ]);
  expect(sample).toEqual({
    ...emptySample(),
    framesDecoded: { "0": 15 },
    framesDropped: { "0": 2 },
    decodeTime: { "0": 0.1 },
    freezes: { "0": 1 },
    height: { "0": 360 },
    audioEnergy: { "1": 0.5 },
    audioSamples: { "1": 48_000 },
    concealed: { "1": 500 },
    packets: 160,
    lost: 1,
    roundTrip: 0.02,
  });
});

it("tells a connection by a relay from a direct one, in the words of Chromium and of Firefox", () => {
  const candidates = [
    { type: "local-candidate", id: "L1", candidateType: "host" },
    { type: "local-candidate", id: "L2", candidateType: "relay" },
  ];
  const pairs = [
    { type: "candidate-pair", id: "P1", nominated: true, localCandidateId: "L1" },
    { type: "candidate-pair", id: "P2", nominated: true, localCandidateId: "L2" },
  ];
  const relayed = (...entries: Parameters<typeof sampleOf>[0]) => sampleOf([...entries, ...candidates]).relayed;
  expect(relayed(...pairs, { type: "transport", selectedCandidatePairId: "P2" })).toBe(true);
  expect(relayed(...pairs, { type: "transport", selectedCandidatePairId: "P1" })).toBe(false);
  expect(relayed({ ...pairs[0], type: "candidate-pair", selected: true })).toBe(false);
  expect(relayed(...pairs, { type: "transport" })).toBe(null);
});

it("says of a send connection what holds it back, and the worst that the other side reports", () => {
  const sample = sampleOf([
    { type: "outbound-rtp", kind: "video", rid: "q", framesSent: 10, frameHeight: 180, qualityLimitationReason: "cpu" },
    { type: "outbound-rtp", kind: "video", rid: "h", framesSent: 5, frameHeight: 360, qualityLimitationReason: "bandwidth" },
    { type: "outbound-rtp", kind: "audio" },
    { type: "remote-inbound-rtp", kind: "video", roundTripTime: 0.03, fractionLost: 0 },
    { type: "remote-inbound-rtp", kind: "audio", roundTripTime: 0.05, fractionLost: 0.02 },
  ]);
  expect(sample).toEqual({
    ...emptySample(),
    framesSent: 15,
    height: { q: 180, h: 360 },
    limited: "cpu",
    sendRoundTrip: 0.05,
    sendLoss: 0.02,
  });
});

it("counts only what rose, and only where it counts", () => {
  expect(rise({ a: 1, b: 5 }, { a: 4, b: 2, c: 7 })).toBe(10);
  expect(rise({}, { a: 4, b: 2 }, (key) => key === "b")).toBe(2);
});

it("calls a connection weak by its loss of late, or its round trip", () => {
  const at = (packets: number, lost: number, roundTrip: number | null = 0.02) => ({ ...EMPTY_SAMPLE, packets, lost, roundTrip });
  expect(isWeak(at(1000, 500), at(1100, 501))).toBe(false);
  expect(isWeak(at(1000, 0), at(1090, 10))).toBe(true);
  expect(isWeak(at(1000, 0), at(1001, 1))).toBe(false);
  expect(isWeak(at(1000, 0), at(1100, 0, 0.6))).toBe(true);
});
