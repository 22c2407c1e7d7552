import { defineConfig } from "vite";

export default defineConfig({
  base: "/playground/",
  build: {
    target: "es2024",
    modulePreload: { polyfill: false },
    // Monaco, the editor inside GraphiQL, is one chunk of about 3 MB and loads only after the page stands.
    chunkSizeWarningLimit: 4000,
    rolldownOptions: {
      onwarn(warning, warn) {
        // Libraries mark modules with "use client" for server rendering, which means nothing here.
        if (warning.code !== "MODULE_LEVEL_DIRECTIVE") warn(warning);
      },
    },
  },
});
