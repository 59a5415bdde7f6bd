import { describe, expect, it } from "vitest";
import { doing, done } from "./verbs";
import { en } from "./words";

const asked: Record<string, string> = Object.fromEntries(
  Object.entries(en.verb).map(([name, each]) => [name, typeof each === "string" ? each : (each as (...with_: string[]) => string)("40", "7")]),
);

describe("what a device was asked", () => {
  it.each(Object.entries(asked))("has a form while it runs and one when it is done: %s", (_, what) => {
    expect(doing(what)).toMatch(/^(is|has) /);
    expect(done(what)).toMatch(/^(is|has|took) /);
  });

  it("reads as a sentence", () => {
    expect(en.step.done("Projector", en.verb.powerOn)).toBe("Projector is on");
    expect(en.step.doing("Screen", en.verb.screenDown)).toBe("Screen is going down");
    expect(en.step.done("Projector", en.verb.source("HDMI 1"))).toBe("Projector is at HDMI 1");
    expect(en.step.done("Lamp", en.verb.brightness(40))).toBe("Lamp has its brightness at 40 %");
    expect(en.step.done("Fan", en.verb.other("swing", "wide"))).toBe("Fan has swing at wide");
  });
});
