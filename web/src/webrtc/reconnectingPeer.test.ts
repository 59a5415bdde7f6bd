import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Grant } from "../api/types";
import { ReconnectingPeer } from "./reconnectingPeer";
import { ScriptedPeer } from "./scriptedPeer";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A connection whose attempts get these peers in turn, and its states. */
function reconnecting(...peers: ScriptedPeer[]) {
  return overlapping(0, ...peers);
}

/** The same with an overlap. */
function overlapping(overlapMs: number, ...peers: ScriptedPeer[]) {
  const states: string[] = [];
  let attempts = 0;
  const grant: Grant = { url: "/whep/b", token: "t1" };
  const connection: ReconnectingPeer<ScriptedPeer> = new ReconnectingPeer(
    () => peers[attempts++] ?? new ScriptedPeer(),
    () => grant,
    () => {
      if (states.at(-1) !== connection.state) states.push(connection.state);
    },
    overlapMs,
  );
  return { connection, states, attempts: () => attempts };
}

const run = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

it("connects, and ends with a DELETE", async () => {
  const peer = new ScriptedPeer();
  const { connection, states } = reconnecting(peer);
  connection.start();
  connection.start();
  await run(0);
  connection.refresh({ url: "/whep/b", token: "t2" });
  connection.stop();
  connection.stop();
  expect(states).toEqual(["connecting", "connected", "stopped"]);
  expect(peer.log).toEqual(["post t1", "delete t2"]);
});

it("tries again after refusals, and waits as long as the server asks", async () => {
  const { connection, attempts } = reconnecting(new ScriptedPeer(404), new ScriptedPeer(503));
  connection.start();
  await run(160);
  expect(attempts()).toBe(2);
  await run(900);
  expect(attempts()).toBe(2);
  await run(200);
  expect([attempts(), connection.state]).toEqual([3, "connected"]);
});

it("gives up an attempt that neither succeeds nor fails", async () => {
  const silent = new ScriptedPeer(201, false);
  const { connection } = reconnecting(silent);
  connection.start();
  await run(3_900);
  expect(connection.state).toBe("connecting");
  await run(500);
  expect([connection.state, silent.log]).toEqual(["connected", ["post t1", "delete t1"]]);
});

it("restarts ICE at once when disconnected, and is renewed after 2 s if that was no help", async () => {
  const first = new ScriptedPeer();
  const { connection, states } = reconnecting(first);
  connection.start();
  await run(0);
  first.become("disconnected");
  await run(1_900);
  expect([connection.state, first.log]).toEqual(["disconnected", ["post t1", "patch t1"]]);
  await run(500);
  expect(states).toEqual(["connecting", "connected", "disconnected", "waiting", "connecting", "connected"]);
});

it("stays the same connection when the restart helps", async () => {
  const first = new ScriptedPeer();
  const { connection, attempts } = reconnecting(first);
  connection.start();
  await run(0);
  first.become("disconnected");
  await run(500);
  first.become("connected");
  await run(5_000);
  expect([connection.state, attempts()]).toEqual(["connected", 1]);
});

it("is renewed when it fails, and what a dead peer says later is not heard", async () => {
  const first = new ScriptedPeer();
  const { connection, attempts } = reconnecting(first);
  connection.start();
  await run(0);
  first.become("failed");
  await run(200);
  first.become("failed");
  await run(5_000);
  expect([connection.state, attempts()]).toEqual(["connected", 2]);
});

describe("making before breaking", () => {
  it("shows the connection before until the new one has taken over", async () => {
    const [first, second] = [new ScriptedPeer(), new ScriptedPeer()];
    const { connection } = overlapping(3_000, first, second);
    connection.start();
    await run(0);
    connection.renew();
    await run(500);
    expect([connection.state, connection.peer === second, connection.rendered === first]).toEqual(["connected", true, true]);
    second.frames = 1;
    await run(100);
    expect([connection.rendered === second, connection.hasPrevious, first.log]).toEqual([true, false, ["post t1", "delete t1"]]);
  });

  it("holds it for 3 s once the new one is there, whatever that shows", async () => {
    const [first, second] = [new ScriptedPeer(), new ScriptedPeer()];
    const { connection } = overlapping(3_000, first, second);
    connection.start();
    await run(0);
    connection.renew();
    await run(2_900);
    expect(connection.rendered).toBe(first);
    await run(200);
    expect(connection.rendered).toBe(second);
  });

  it("holds one that works as long as there is no other, and a failed one for 3 s", async () => {
    const [first, silent, silent2] = [new ScriptedPeer(), new ScriptedPeer(201, false), new ScriptedPeer(201, false)];
    const { connection } = overlapping(3_000, first, silent, silent2);
    connection.start();
    await run(0);
    connection.renew();
    await run(6_000);
    expect([connection.rendered === first, silent.log]).toEqual([true, ["post t1", "delete t1"]]);
    first.become("failed");
    await run(2_900);
    expect(connection.rendered).toBe(first);
    await run(200);
    expect([connection.hasPrevious, first.log.at(-1)]).toEqual([false, "delete t1"]);
  });

  it("ends all it holds when stopped", async () => {
    const [first, second] = [new ScriptedPeer(), new ScriptedPeer()];
    const { connection } = overlapping(3_000, first, second);
    connection.start();
    await run(0);
    connection.renew();
    await run(0);
    connection.stop(true);
    expect([first.log.at(-1), second.log.at(-1), vi.getTimerCount()]).toEqual(["delete t1 leaving", "delete t1 leaving", 0]);
  });
});

it("is patient with a link that takes 2 s for an answer", async () => {
  const far = new ScriptedPeer(201, false);
  const post = far.connect.bind(far);
  far.connect = async (grant) => {
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    await post(grant);
  };
  const { connection, attempts } = reconnecting(far, new ScriptedPeer());
  connection.start();
  await run(11_500);
  expect([connection.state, attempts()]).toEqual(["connecting", 1]);
  far.become("connected");
  far.become("disconnected");
  await run(5_900);
  expect([connection.state, attempts()]).toEqual(["disconnected", 1]);
  await run(1_000);
  expect([connection.state, attempts()]).toEqual(["connected", 2]);
});
