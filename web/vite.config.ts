import { readFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const WORTH_B = 512;

/** The server answers by this list which addresses are pages. */
const pageList = (): Plugin => ({
  name: "page-list",
  generateBundle() {
    this.emitFile({ type: "asset", fileName: "pages.json", source: readFileSync("src/pages.json") });
  },
});

/** Beside each text its compressed forms, made once and as small as they get: the server only sends them. */
const compressed = (): Plugin => ({
  name: "compressed",
  enforce: "post",
  generateBundle: {
    order: "post",
    handler(_, bundle) {
      for (const file of Object.values(bundle)) {
        const text = Buffer.from(file.type === "chunk" ? file.code : file.source);
        if (text.length < WORTH_B || !/\.(js|css|html|svg|json)$/.test(file.fileName)) continue;
        const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: text.length };
        this.emitFile({ type: "asset", fileName: `${file.fileName}.gz`, source: gzipSync(text, { level: 9 }) });
        this.emitFile({ type: "asset", fileName: `${file.fileName}.br`, source: brotliCompressSync(text, { params }) });
      }
    },
  },
});

export default defineConfig({
  plugins: [svelte(), pageList(), compressed()],
  build: {
    outDir: "dist",
    target: "es2022",
    assetsInlineLimit: 0, // the content security policy allows no data: addresses
    modulePreload: { polyfill: false },
    manifest: true, // which file imports which: a test weighs each page by it
    rolldownOptions: {
      // What every page needs comes as one file, not as a request for each small part.
      output: { codeSplitting: { groups: [{ name: "common", test: /src\/(api|forms|parts|state|i18n\/(describe\/error|language)|router|address)/ }] } },
    },
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
