// The geometry of plots: scales, lines with gaps, marks on the axes. Pure.

import type { History, Word } from "../../api/types";

export type Values = readonly (number | null)[];

/** The end of an axis: the next 1, 2 or 5 times a power of ten at or above `value`. */
export function niceMaximum(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((each) => each * power >= value * 0.9999) ?? 10) * power;
}

export function largest(lines: readonly Values[]): number {
  return lines.reduce((most, values) => values.reduce<number>((so, value) => Math.max(so, value ?? 0), most), 0);
}

/** An SVG path through the values, with a gap at each null. A lone value is a short stroke. */
export function path(values: Values, maximum: number, width: number, height: number): string {
  const step = values.length > 1 ? width / values.length : width;
  let text = "";
  let pen = false;
  values.forEach((value, index) => {
    if (value === null) {
      pen = false;
      return;
    }
    const y = round(height - (Math.min(value, maximum) / maximum) * height);
    const x = round((index + 0.5) * step);
    if (pen) text += `L${x} ${y}`;
    else text += `M${x} ${y}${(values[index + 1] ?? null) === null ? "h1" : ""}`;
    pen = true;
  });
  return text;
}

const round = (value: number): number => Math.round(value * 10) / 10;

const STEPS_MIN = [1, 2, 5, 10, 15, 30, 60, 120, 240];
const MARK_EVERY_PX = 90;

/** The times to write below an axis, in ms since 1970, at whole minutes. `width`: of the axis, in CSS pixels. */
export function timeMarks(startMs: number, lengthMs: number, width: number): number[] {
  const most = Math.max(1, Math.floor(width / MARK_EVERY_PX));
  const stepMs = (STEPS_MIN.find((each) => lengthMs / (each * 60_000) <= most) ?? 480) * 60_000;
  const marks: number[] = [];
  for (let at = Math.ceil(startMs / stepMs) * stepMs; at <= startMs + lengthMs; at += stepMs) marks.push(at);
  return marks;
}

export interface Run {
  word: Word | null;
  from: number;
  to: number;
}

/** Joins neighbouring steps with the same verdict; `to`: the first step after. */
export function runs(words: readonly (Word | null)[]): Run[] {
  const found: Run[] = [];
  words.forEach((word, index) => {
    const last = found.at(-1);
    if (last?.word === word) last.to = index + 1;
    else found.push({ word, from: index, to: index + 1 });
  });
  return found;
}

/** How long the site had this verdict, in ms. */
export const spentMs = (history: History, word: Word): number =>
  history.word.filter((each) => each === word).length * history.interval_s * 1000;

export const percent = (values: Values): Values => values.map((value) => (value === null ? null : value * 100));
