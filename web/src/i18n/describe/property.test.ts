import { describe, expect, it } from "vitest";
import type { Value } from "../../api/types";
import { en } from "../en/words";
import { vi } from "../vi/words";
import { propertyName, valueText } from "./property";

describe("a property's name", () => {
  it.each([
    ["Nguồn", "power", "power", "projector"],
    ["Nguồn (socket 2)", "power.socket_2", "power", "smart_plug"],
    ["Pin", "health.battery", "health", "co2_sensor"],
    ["Chất lượng sóng", "other.linkquality", "other", "blind"],
    ["Nhận diện", "button.identify", "button", "blind"],
    ["Điện áp", "meter.voltage", "meter", "smart_plug"],
    ["Rèm", "cover", "cover", "blind"],
    ["Màn chiếu", "cover", "cover", "motor_screen"],
    ["Tắt tiếng", "av_mute", "av_mute", "speaker"],
    ["“tilt lock” (tên do thiết bị đặt)", "other.tilt_lock", "other", "blind"],
    ["“constructor” (tên do thiết bị đặt)", "other.constructor", "other", "blind"],
    ["“thing” (tên do thiết bị đặt)", "novel.thing", "novel", "blind"],
  ])("%s", (text, name, capability, type) => {
    expect(propertyName(vi, { name, capability }, type)).toBe(text);
    expect(propertyName(en, { name, capability }, type)).not.toMatch(/\.|_/);
  });
});

describe("a value", () => {
  it.each<[string, Value, string, string[], string]>([
    ["Đang khởi động", "warming", "power", ["on", "off"], "projector"],
    ["Hạ xuống", "closed", "cover", ["open", "closed", "stopped"], "motor_screen"],
    ["Đóng", "closed", "cover", ["open", "closed", "stopped"], "blind"],
    ["Cả lớp", "class", "ptz", ["class", "board"], "ptz_camera"],
    ["Có người", true, "occupancy", [], ""],
    ["HDMI 1", "hdmi1", "av_source", ["hdmi1", "vga"], "projector"],
    ["vga", "vga", "av_source", ["hdmi1", "vga"], "projector"],
    ["Bật", "on", "other", ["on", "off"], ""],
  ])("is %s", (text, value, capability, options, type) => {
    expect(valueText(vi, { name: capability, capability, unit: "", options }, value, String, type)).toBe(text);
  });

  it("of a foreign list is left alone, and so is the whole list", () => {
    const level = { name: "other.log_level", capability: "other", unit: "", options: ["error", "warning", "info", "debug"] };
    expect(level.options.map((each) => valueText(vi, level, each))).toEqual(level.options);
    const start = { name: "other.power_on_behavior", capability: "other", unit: "", options: ["off", "on", "previous"] };
    expect(start.options.map((each) => valueText(vi, start, each))).toEqual(start.options);
    expect(valueText(vi, { name: "other.note", capability: "other", unit: "" }, "constructor")).toBe("constructor");
  });
});
