import { beforeEach, describe, expect, it, vi } from "vitest";

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

  it("gives TURN servers only once they are needed, with the newest credentials", async () => {
    const { setTurnServers, requireTurn, usableTurnServers } = await load();
    setTurnServers([{ urls: "turn:a" }]);
    expect(usableTurnServers()).toEqual([]);
    requireTurn();
    expect(usableTurnServers()).toEqual([{ urls: "turn:a" }]);
    setTurnServers([{ urls: "turn:b" }]);
    expect(usableTurnServers()).toEqual([{ urls: "turn:b" }]);
  });

  it("gives them at once to a connection that has lost its way", async () => {
    const { setTurnServers, usableTurnServers, isTurnNeeded } = await load();
    setTurnServers([{ urls: "turn:a" }]);
    expect(usableTurnServers({ lost: true })).toEqual([{ urls: "turn:a" }]);
    expect([usableTurnServers(), isTurnNeeded()]).toEqual([[], false]);
  });

  it("needs them from the first connection on once one came up by a relay, for a week", async () => {
    const first = await load();
    first.requireTurn();
    expect((await load()).isTurnNeeded()).toBe(false); // it may have been a cut cable
    first.recordRoute(null);
    expect((await load()).isTurnNeeded()).toBe(false);
    first.recordRoute(true);
    expect((await load()).isTurnNeeded()).toBe(true);
    vi.advanceTimersByTime(100 * HOUR_MS);
    (await load()).recordRoute(true);
    vi.advanceTimersByTime(100 * HOUR_MS);
    expect((await load()).isTurnNeeded()).toBe(true);
    vi.advanceTimersByTime(69 * HOUR_MS);
    expect((await load()).isTurnNeeded()).toBe(false);
  });

  it("forgets it with the first connection that came up directly, but not in this page", async () => {
    (await load()).recordRoute(true);
    const page = await load();
    expect(page.isTurnNeeded()).toBe(true);
    page.recordRoute(false);
    expect(page.isTurnNeeded()).toBe(true);
    expect((await load()).isTurnNeeded()).toBe(false);
  });

  it.each(["nonsense", "", "1e300", "Infinity", "-1"])("takes %j for nothing", async (text) => {
    stored.set("nhipcau.relays", text);
    expect((await load()).isTurnNeeded()).toBe(false);
  });
});
