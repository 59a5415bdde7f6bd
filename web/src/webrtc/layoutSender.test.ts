import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type Heights, LayoutSender } from "./layoutSender";
import { SignalingError } from "./whip";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const run = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

/** A sender whose bridge answers with these statuses, then 204; and what the bridge received. */
function sent(...answers: number[]): { layout: LayoutSender; log: Heights[] } {
  const log: Heights[] = [];
  const layout = new LayoutSender((heights) => {
    log.push(heights);
    const status = answers.shift() ?? 204;
    return status === 204 ? Promise.resolve() : Promise.reject(new SignalingError(status));
  });
  return { layout, log };
}

it("tells sizes once they have settled, and only new ones", async () => {
  const { layout, log } = sent();
  for (const height of [100, 200, 300]) {
    layout.set({ "0": height });
    await run(100);
  }
  await run(200);
  layout.set({ "0": 300 });
  await run(1_000);
  expect(log).toEqual([{ "0": 300 }]);
});

it("tells a new connection everything again, at once", async () => {
  const { layout, log } = sent();
  layout.set({ "0": 300, "1": 0 });
  await run(200);
  layout.resend();
  await run(0);
  expect(log).toEqual([{ "0": 300, "1": 0 }, { "0": 300, "1": 0 }]);
});

it("says nothing before it knows a size, and nothing more once stopped", async () => {
  const { layout, log } = sent();
  layout.resend();
  await run(200);
  layout.set({ "0": 1 });
  layout.stop();
  await run(5_000);
  expect(log).toEqual([]);
});

it("tries again what did not arrive, and takes no for an answer", async () => {
  const { layout, log } = sent(0, 503, 404);
  layout.set({ "0": 300 });
  await run(200);
  await run(2_000);
  await run(2_000);
  expect(log).toHaveLength(3);
  await run(60_000);
  expect(log).toHaveLength(3);
});
