import { describe, expect, it } from "vitest";
import type { Asking, DisplayCall, DisplayState } from "../../api/types";
import { PendingChanges } from "./pendingChanges";

const call = (change: Partial<DisplayCall> = {}): DisplayCall =>
  ({ lesson: "l1", title: "Sông Hồng", muted: false, camera_off: false, ...change }) as DisplayCall;
const asking = (change: Partial<Asking> = {}): Asking => ({ lesson: "l1", title: "Sông Hồng", host: "A", stepped_out: true, reminded_at: null, ...change });
const serverState = (state: Partial<DisplayState>): DisplayState => ({ type: "state", call: null, asking: null, ...state }) as DisplayState;
const sending = (state: DisplayState): [boolean, boolean] | null => (state.call === null ? null : [state.call.muted, state.call.camera_off]);

describe("what the room wants", () => {
  it("holds at once, until the server says the same, and no longer", () => {
    const changes = new PendingChanges();
    changes.setSending("l1", { muted: true });
    expect(sending(changes.applyTo(serverState({ call: call() })))).toEqual([true, false]);
    changes.setSending("l1", { camera_off: true });
    expect(changes.requests()).toEqual([{ type: "sending", lesson: "l1", muted: true, camera_off: true }]);
    expect(sending(changes.applyTo(serverState({ call: call({ muted: true }) })))).toEqual([true, true]);
    expect(changes.requests()).toEqual([{ type: "sending", lesson: "l1", camera_off: true }]);
    expect(sending(changes.applyTo(serverState({ call: call({ muted: true, camera_off: true }) })))).toEqual([true, true]);
    expect(changes.isPending).toBe(false);
    expect(sending(changes.applyTo(serverState({ call: call() })))).toEqual([false, false]); // somebody else's word since
  });

  it("is given up where the server refuses, and in another lesson", () => {
    const changes = new PendingChanges();
    changes.setSending("l1", { muted: true });
    changes.discard();
    expect(sending(changes.applyTo(serverState({ call: call() })))).toEqual([false, false]);
    changes.setSending("l1", { muted: true });
    expect(sending(changes.applyTo(serverState({ call: call({ lesson: "l2" }) })))).toEqual([false, false]);
    expect(changes.requests()).toEqual([]);
  });

  it("takes the room out at once and says how it comes back", () => {
    const changes = new PendingChanges();
    changes.leave("l1");
    const out = changes.applyTo(serverState({ call: call() }));
    expect([out.call, out.asking]).toEqual([null, asking({ host: "" })]);
    expect(changes.requests()).toEqual([{ type: "part", lesson: "l1", present: false }]);
    changes.applyTo(serverState({ asking: asking() }));
    expect(changes.isPending).toBe(false);
    changes.comeBack("l1");
    expect(changes.applyTo(serverState({ asking: asking() })).asking).toEqual(asking());
    expect([changes.isReturning, changes.requests()]).toEqual([true, [{ type: "part", lesson: "l1", present: true }]]);
    expect(changes.applyTo(serverState({ call: call() })).call).toEqual(call());
    expect(changes.isPending).toBe(false);
  });

  it("comes back also before the server has said that it left, and asks for it", () => {
    const changes = new PendingChanges();
    changes.leave("l1");
    changes.applyTo(serverState({ call: call() }));
    changes.comeBack("l1");
    expect(changes.applyTo(serverState({ call: call() })).call).toBeNull(); // as it was before it left
    expect(changes.requests()).toEqual([{ type: "part", lesson: "l1", present: true }]);
    changes.applyTo(serverState({ asking: asking() }));
    expect(changes.requests()).toEqual([{ type: "part", lesson: "l1", present: true }]);
    expect(changes.applyTo(serverState({ call: call() })).call).toEqual(call());
    expect(changes.isPending).toBe(false);
  });

  it("does not come back to what is over", () => {
    const changes = new PendingChanges();
    changes.comeBack("l1");
    changes.applyTo(serverState({}));
    expect(changes.isPending).toBe(false);
  });
});
