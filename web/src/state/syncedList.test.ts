import { describe, expect, it } from "vitest";
import { SyncedList } from "./syncedList";

const item = (id: string, says: string): { id: string; says: string } => ({ id, says });

describe("a list kept level with the server", () => {
  it("takes what events said while the whole list was on its way as newer", () => {
    const level = new SyncedList<{ id: string; says: string }>();
    const reading = level.reading();
    level.put(item("a", "event"));
    level.remove("b");
    reading.finish([item("a", "list"), item("b", "list"), item("c", "list")]);
    expect(level.all()).toEqual([item("c", "list"), item("a", "event")]);
  });

  it("drops what the new whole list no longer has", () => {
    const level = new SyncedList<{ id: string; says: string }>();
    level.put(item("old", "event"));
    level.reading().finish([item("new", "list")]);
    expect(level.all()).toEqual([item("new", "list")]);
  });

  it("ignores an answer that a later one has overtaken", () => {
    const level = new SyncedList<{ id: string; says: string }>();
    const first = level.reading();
    const second = level.reading();
    second.finish([item("a", "second")]);
    first.finish([item("a", "first")]);
    expect(level.all()).toEqual([item("a", "second")]);
  });

  it("does not grow with readings that never finish", () => {
    const level = new SyncedList<{ id: string; says: string }>();
    for (let each = 0; each < 100; each += 1) level.reading();
    const last = level.reading();
    level.put(item("a", "event"));
    last.finish([item("a", "list")]);
    expect(level.get("a")).toEqual(item("a", "event"));
  });
});
