import { expect, it } from "vitest";
import type { Device, SceneStep } from "../../api/types";
import { en } from "../en/words";
import { vi } from "../vi/words";
import { scenePlan } from "./scenePlan";

const device = (id: string, type: string, name = id): Device => ({ id, type, name }) as Device;
const step = (id: string, change: Partial<SceneStep>): SceneStep => ({
  id,
  device: id,
  property: "power",
  value: "on",
  importance: "useful",
  deadline_s: 10,
  after: [],
  needs: [],
  ...change,
});

const devices = [device("p", "projector"), device("s", "motor_screen"), device("l1", "light", "Đèn trước"), device("l2", "light", "Đèn sau")];
const steps = [
  step("input", { device: "p", property: "av_source", value: "HDMI1", needs: ["on"] }),
  step("on", { device: "p", importance: "essential", deadline_s: 90, after: ["down"] }),
  step("down", { device: "s", property: "cover", value: "closed", deadline_s: 60 }),
  step("dim", { device: "l1", property: "level", value: 40 }),
  step("dark", { device: "l2", property: "level", value: 0 }),
  step("gone", { device: "x" }),
];

it("lists the steps in the order of their start, and what each waits for", () => {
  expect(scenePlan(vi, steps, devices).map(({ text, details }) => [text, ...details])).toEqual([
    ["Màn chiếu: hạ", "chờ tối đa 60 giây"],
    ["Máy chiếu: bật", "sau khi bước 1 xong hoặc lỗi", "chờ tối đa 90 giây"],
    ["Máy chiếu: chuyển sang HDMI 1", "chỉ khi bước 2 đạt", "chờ tối đa 10 giây"],
    ["Đèn trước: chỉnh độ sáng 40 %", "chờ tối đa 10 giây"],
    ["Đèn sau: chỉnh độ sáng 0 %", "chờ tối đa 10 giây"],
    ["Thiết bị không còn trong phòng: bật", "chờ tối đa 10 giây"],
  ]);
});

it("speaks English, and shows even steps that wait for each other", () => {
  const loop = [step("a", { device: "p", after: ["b"] }), step("b", { device: "s", property: "cover", value: "open", needs: ["a"] })];
  expect(scenePlan(en, loop, devices).map(({ text, details }) => [text, ...details])).toEqual([
    ["Projector: switch on", "once step 2 is done or failed", "waits at most 10 s"],
    ["Screen: raise", "only if step 1 succeeds", "waits at most 10 s"],
  ]);
});
