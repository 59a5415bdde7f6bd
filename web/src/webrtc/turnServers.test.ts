import { beforeEach, describe, expect, it, vi } from "vitest";
import { iceServers } from "./turnServers";

const TURN =
  '<turn:turn.example.edu.vn:3478?transport=udp>; rel="ice-server"; username="1795300000:room-a"; credential="a+b/c="; credential-type="password"';

it("reads the ICE servers of Link headers, and nothing else", () => {
  const link = [TURN, '<https://a.example/x,y>; rel="next"', "<stun:a.example>; rel=ice-server", "<turn:b>; rel=ice-server"];
  expect(iceServers(link.join(", "))).toEqual([
    { urls: "turn:turn.example.edu.vn:3478?transport=udp", username: "1795300000:room-a", credential: "a+b/c=" },
    { urls: "stun:a.example" },
  ]);
  expect([iceServers(null), iceServers(""), iceServers("nonsense <")]).toEqual([[], [], []]);
});

const HOUR_MS = 3_600_000;

describe("remembering", () => {
  const stored = new Map<string, string>();
  /** The module as a page has it that was just loaded. */
  const load = async () => {
    vi.resetModules();
    return await import("./turnServers");
  };
  beforeEach(() => {
    stored.clear();
    vi.useFakeTimers({ now: 1_800_000_000_000 });
    vi.stubGlobal("localStorage", {
      getItem: (key: string) => stored.get(key) ?? null,
      setItem: (key: string, value: string) => stored.set(key, value),
      removeItem: (key: string) => stored.delete(key),
    });
    return () => {
      vi.useRealTimers();
      vi.unstubAllGlobals();
    };
  });

  it("gives relays only once they are needed, and the youngest credentials", async () => {
    const { learnRelays, needRelays, relays } = await load();
    learnRelays([{ urls: "turn:a" }]);
    expect(relays()).toEqual([]);
    needRelays();
    expect(relays()).toEqual([{ urls: "turn:a" }]);
    learnRelays([{ urls: "turn:b" }]);
    expect(relays()).toEqual([{ urls: "turn:b" }]);
  });

  it("gives them at once to a connection that has lost its way", async () => {
    const { learnRelays, relays, relaysNeeded } = await load();
    learnRelays([{ urls: "turn:a" }]);
    expect(relays({ lost: true })).toEqual([{ urls: "turn:a" }]);
    expect([relays(), relaysNeeded()]).toEqual([[], false]);
  });

  it("needs them from the first connection on once one came up by a relay, for a week", async () => {
    const first = await load();
    first.needRelays();
    expect((await load()).relaysNeeded()).toBe(false); // it may have been a cut cable
    first.cameBy(null);
    expect((await load()).relaysNeeded()).toBe(false);
    first.cameBy(true);
    expect((await load()).relaysNeeded()).toBe(true);
    vi.advanceTimersByTime(100 * HOUR_MS);
    (await load()).cameBy(true);
    vi.advanceTimersByTime(100 * HOUR_MS);
    expect((await load()).relaysNeeded()).toBe(true);
    vi.advanceTimersByTime(69 * HOUR_MS);
    expect((await load()).relaysNeeded()).toBe(false);
  });

  it("forgets it with the first connection that came up directly, but not in this page", async () => {
    (await load()).cameBy(true);
    const page = await load();
    expect(page.relaysNeeded()).toBe(true);
    page.cameBy(false);
    expect(page.relaysNeeded()).toBe(true);
    expect((await load()).relaysNeeded()).toBe(false);
  });

  it.each(["nonsense", "", "1e300", "Infinity", "-1"])("takes %j for nothing", async (text) => {
    stored.set("nhipcau.relays", text);
    expect((await load()).relaysNeeded()).toBe(false);
  });
});
