// A Svelte attachment that writes a stream's audio level, 0 to 1, into the custom property `--level`.

import type { Attachment } from "svelte/attachments";

const EVERY_MS = 100;
const FLOOR_DB = -60;

export function audioLevel(stream: MediaStream | null): Attachment<HTMLElement> {
  return (element) => {
    if (stream === null || stream.getAudioTracks().length === 0) return;
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: 1024 });
    context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, value) => sum + value * value, 0) / samples.length;
      const decibels = 10 * Math.log10(power + 1e-12);
      element.style.setProperty("--level", Math.max(0, Math.min(1, 1 - decibels / FLOOR_DB)).toFixed(2));
    }, EVERY_MS);
    return () => {
      clearInterval(timer);
      element.style.setProperty("--level", "0");
      void context.close();
    };
  };
}
