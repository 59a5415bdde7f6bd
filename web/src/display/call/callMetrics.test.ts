import { expect, it } from "vitest";
import { emptySample, type Sample } from "../../webrtc/statsSample";
import { CallMetrics } from "./callMetrics";

const sample = (change: Partial<Sample>): Sample => ({ ...emptySample(), ...change });

it("counts frames, sound and freezes on over renewed connections", () => {
  const health = new CallMetrics(4);
  health.addSample(0, sample({ framesDecoded: { "0": 20 }, audioEnergy: { "1": 0.5 }, freezes: { "0": 1 } }), null, {});
  health.startConnection();
  health.addSample(1_000, sample({ framesDecoded: { "0": 5, "2": 0 }, audioEnergy: { "1": 0.25 }, freezes: { "0": 2 } }), null, {});
  expect(health.report()).toMatchObject({ playing: 1, frames_decoded: 25, audio_energy: 0.75, freezes: 3 });
  health.reset();
  expect(health.report()).toMatchObject({ playing: 0, frames_decoded: 0, audio_energy: 0, freezes: 0 });
});

it("takes no still or paused picture for frozen", () => {
  const health = new CallMetrics(4);
  health.addSample(0, sample({ freezes: { "0": 1, "1": 1, "2": 1 } }), null, { "0": "still", "1": "paused", "2": "live" });
  expect(health.report().freezes).toBe(1);
});

it("says what share of the last ten seconds' sound was made up", () => {
  const health = new CallMetrics(4);
  for (let second = 1; second <= 20; second += 1) {
    const concealed = second <= 10 ? second * 48_000 : 480_000 + (second - 10) * 480;
    health.addSample(second * 1_000, sample({ audioSamples: { "1": second * 48_000 }, concealed: { "1": concealed } }), null, {});
  }
  expect(health.report().concealed).toBeCloseTo(0.01);
});

it("says how what we send arrives", () => {
  const health = new CallMetrics(4);
  health.addSample(0, sample({}), sample({ sendRoundTrip: 0.0406, sendLoss: 0.02, limited: "cpu" }), {});
  expect(health.report()).toMatchObject({ send_round_trip_ms: 41, send_loss: 0.02, limited: "cpu" });
  health.addSample(1_000, sample({}), null, {});
  expect(health.report()).toMatchObject({ send_round_trip_ms: null, send_loss: null, limited: "none" });
});

it("finds out that the machine is slow, and remembers it for the next lesson", () => {
  const health = new CallMetrics(4);
  for (let second = 0; second <= 11; second += 1) {
    health.addSample(second * 1_000, sample({ framesDecoded: { "0": second * 20 }, decodeTime: { "0": second * 3 } }), null, {});
  }
  expect(health.report().cpu_slow).toBe(true);
  health.reset();
  expect(health.report().cpu_slow).toBe(true);
});
