import { describe, expect, it } from "vitest";
import problems from "../api/problems.json";
import { en } from "./en/words";
import { vi } from "./vi/words";

type Node = string | ((...values: never[]) => string) | { [key: string]: Node };

/** Every leaf by its path; functions are called with digits, which every one of them can print. */
function leaves(node: Node, path = ""): Map<string, string> {
  if (typeof node === "string") return new Map([[path, node]]);
  if (typeof node === "function") {
    const values = Array.from({ length: node.length }, (_, index) => String(index + 7)) as never[];
    return new Map([[path, node(...values)]]);
  }
  return new Map(Object.entries(node).flatMap(([key, child]) => [...leaves(child, `${path}.${key}`)]));
}

const tables: [string, Map<string, string>][] = [
  ["vi", leaves(vi as unknown as Node)],
  ["en", leaves(en as unknown as Node)],
];

describe("words", () => {
  it("have the same keys in both languages", () => {
    expect([...(tables[1]?.[1].keys() ?? [])].sort()).toEqual([...(tables[0]?.[1].keys() ?? [])].sort());
  });

  it.each(tables)("are never empty in %s, and every argument is used", (_, words) => {
    const silent = [".camera.unknown", ".camera.ok"];
    for (const [path, text] of words) {
      if (!silent.includes(path)) expect(text, path).not.toBe("");
      expect(text, path).not.toMatch(/undefined|NaN|\[object/);
      expect(text, path).toBe(text.trim().normalize("NFC"));
    }
  });

  it.each(tables)("speak of no class in meetings, nor on displays, which do not know: %s", (_, words) => {
    const general = [...words].filter(([path]) => /^\.screen\.|\.(meeting|training)(\.|$)/.test(path));
    expect(general.length).toBeGreaterThan(0);
    expect(general.filter(([, text]) => /lớp|tiết học|giảng|giáo viên|học tiếp|đã học|class(?!room)|teacher/i.test(text))).toEqual([]);
  });

  it("tell of every problem that the server can answer, and of no other", () => {
    for (const words of [vi, en]) expect(Object.keys(words.refusal).sort()).toEqual([...problems].sort());
  });

  it("are translated: a sentence is not the same in both languages", () => {
    const [, vietnamese] = tables[0] ?? ["", new Map<string, string>()];
    const [, english] = tables[1] ?? ["", new Map<string, string>()];
    const same = [...vietnamese].filter(([path, text]) => text.includes(" ") && english.get(path) === text);
    expect(same.map(([path]) => path)).toEqual([".app.name"]);
  });
});
