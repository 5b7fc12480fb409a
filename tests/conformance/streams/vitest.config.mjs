import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["suite.test.mjs"],
    setupFiles: ["./at_a_channel.mjs"],
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
})
