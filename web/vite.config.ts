import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [svelte()],
  build: {
    outDir: "dist",
    target: "es2022",
    assetsInlineLimit: 0, // the content security policy allows no data: addresses
    modulePreload: { polyfill: false },
  },
  // `npm run dev` beside a running controller.
  server: {
    proxy: {
      "/api": { target: "http://127.0.0.1:8080", ws: true },
      "/whip": "http://127.0.0.1:8080",
      "/whep": "http://127.0.0.1:8080",
    },
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
