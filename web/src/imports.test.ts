import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, sep } from "node:path";
import { expect, it } from "vitest";

const SRC = import.meta.dirname;
/** A folder imports from itself and from folders before it. "." is what stands in `src/` or `display/` itself. */
const FOLDERS = ["api", "i18n", "webrtc", "state", "forms", "parts", "display", "pages"];
const DISPLAY_FOLDERS = ["capture", "call", "layout", "pairing", "."];
/** These stand in `src/` itself, and any folder may import them. */
const ANYWHERE = ["address", "router.svelte"];

/** Each import of one of our files by another, as paths below `src/`. */
function imports(): [from: string, to: string][] {
  const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((file) => /\.(ts|svelte)$/.test(file));
  return files.flatMap((file) =>
    [...readFileSync(join(SRC, file), "utf8").matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map(
      ([, specifier]): [string, string] => [file, normalize(join(dirname(file), specifier ?? ""))],
    ),
  );
}

const upwards = (folders: readonly string[], inside: (path: string) => string): string[] =>
  imports()
    .filter(([from, to]) => folders.indexOf(inside(from)) >= 0 && folders.indexOf(inside(to)) > folders.indexOf(inside(from)))
    .map(([from, to]) => `${from} -> ${to}`);

it("goes one way between the folders", () => {
  expect(upwards(FOLDERS, (path) => path.split(sep)[0] ?? "")).toEqual([]);
  const outside = imports().filter(([from, to]) => from.includes(sep) && !to.includes(sep) && !ANYWHERE.includes(to));
  expect(outside).toEqual([]);
});

it("goes one way inside the display", () => {
  const inside = (path: string): string => {
    const [top, ...rest] = path.split(sep);
    return top !== "display" ? "" : rest.length > 1 ? (rest[0] ?? "") : ".";
  };
  expect(upwards(DISPLAY_FOLDERS, inside)).toEqual([]);
});

it("looks at all folders", () => {
  const folders = (under: string): string[] =>
    readdirSync(join(SRC, under), { withFileTypes: true }).flatMap((each) => (each.isDirectory() && each.name !== "styles" ? [each.name] : []));
  expect(folders(".").sort()).toEqual([...FOLDERS].sort());
  expect([...folders("display"), "."].sort()).toEqual([...DISPLAY_FOLDERS].sort());
});
