import { describe, expect, it } from "vitest";
import type { Asking, DisplayCall, DisplayState } from "../../api/types";
import { Wishes } from "./pendingChanges";

const call = (change: Partial<DisplayCall> = {}): DisplayCall =>
  ({ lesson: "l1", title: "Sông Hồng", muted: false, camera_off: false, ...change }) as DisplayCall;
const asking = (change: Partial<Asking> = {}): Asking => ({ lesson: "l1", title: "Sông Hồng", host: "A", stepped_out: true, reminded_at: null, ...change });
const said = (state: Partial<DisplayState>): DisplayState => ({ type: "state", call: null, asking: null, ...state }) as DisplayState;
const sends = (state: DisplayState): [boolean, boolean] | null => (state.call === null ? null : [state.call.muted, state.call.camera_off]);

describe("what the room wants", () => {
  it("holds at once, until the server says the same, and no longer", () => {
    const wishes = new Wishes();
    wishes.send("l1", { muted: true });
    expect(sends(wishes.over(said({ call: call() })))).toEqual([true, false]);
    wishes.send("l1", { camera_off: true });
    expect(wishes.asks()).toEqual([{ type: "sending", lesson: "l1", muted: true, camera_off: true }]);
    expect(sends(wishes.over(said({ call: call({ muted: true }) })))).toEqual([true, true]);
    expect(wishes.asks()).toEqual([{ type: "sending", lesson: "l1", camera_off: true }]);
    expect(sends(wishes.over(said({ call: call({ muted: true, camera_off: true }) })))).toEqual([true, true]);
    expect(wishes.open).toBe(false);
    expect(sends(wishes.over(said({ call: call() })))).toEqual([false, false]); // somebody else's word since
  });

  it("is given up where the server refuses, and in another lesson", () => {
    const wishes = new Wishes();
    wishes.send("l1", { muted: true });
    wishes.drop();
    expect(sends(wishes.over(said({ call: call() })))).toEqual([false, false]);
    wishes.send("l1", { muted: true });
    expect(sends(wishes.over(said({ call: call({ lesson: "l2" }) })))).toEqual([false, false]);
    expect(wishes.asks()).toEqual([]);
  });

  it("takes the room out at once and says how it comes back", () => {
    const wishes = new Wishes();
    wishes.leave("l1");
    const out = wishes.over(said({ call: call() }));
    expect([out.call, out.asking]).toEqual([null, asking({ host: "" })]);
    expect(wishes.asks()).toEqual([{ type: "part", lesson: "l1", present: false }]);
    wishes.over(said({ asking: asking() }));
    expect(wishes.open).toBe(false);
    wishes.comeBack("l1");
    expect(wishes.over(said({ asking: asking() })).asking).toEqual(asking());
    expect([wishes.comingBack, wishes.asks()]).toEqual([true, [{ type: "part", lesson: "l1", present: true }]]);
    expect(wishes.over(said({ call: call() })).call).toEqual(call());
    expect(wishes.open).toBe(false);
  });

  it("comes back also before the server has said that it left, and asks for it", () => {
    const wishes = new Wishes();
    wishes.leave("l1");
    wishes.over(said({ call: call() }));
    wishes.comeBack("l1");
    expect(wishes.over(said({ call: call() })).call).toBeNull(); // as it was before it left
    expect(wishes.asks()).toEqual([{ type: "part", lesson: "l1", present: true }]);
    wishes.over(said({ asking: asking() }));
    expect(wishes.asks()).toEqual([{ type: "part", lesson: "l1", present: true }]);
    expect(wishes.over(said({ call: call() })).call).toEqual(call());
    expect(wishes.open).toBe(false);
  });

  it("does not come back to what is over", () => {
    const wishes = new Wishes();
    wishes.comeBack("l1");
    wishes.over(said({}));
    expect(wishes.open).toBe(false);
  });
});
