import { defineConfig } from "vitest/config";

const onServer = { globalSetup: ["tests/support/globalSetup.ts"], testTimeout: 60_000, hookTimeout: 90_000 };

export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["tests/unit/**/*.test.ts"] } },
      { test: { name: "server", include: ["tests/server/**/*.test.ts"], ...onServer } },
      { test: { name: "interop", include: ["tests/interop/**/*.test.ts"], ...onServer } },
      { test: { name: "browser", include: ["tests/browser/**/*.test.ts"], ...onServer } },
    ],
    maxWorkers: 2,
  },
});
