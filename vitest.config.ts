import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

/** All of the page, which takes minutes; a look at it is with the others. */
const page = ["test/page/{Acting,Browsing}.test.ts"]
const mounted = ["test/mounted/**/*.test.ts", "test/cli/mount/Mount*.test.ts"]
/** Real services and long outages, which take minutes: `npm run test:places`. */
const places = ["test/places/**/*.test.ts"]
/** Takes minutes and Debian's tools: `npm run test:dist`. */
const dist = ["test/dist/**/*.test.ts"]

export default defineConfig({
  // Tests of what the package exports import it by its name.
  resolve: {
    alias: [
      { find: /^pxar-fuse\/Testing$/, replacement: fileURLToPath(new URL("src/testing/index.ts", import.meta.url)) },
      {
        find: /^pxar-fuse\/FileSystem$/,
        replacement: fileURLToPath(new URL("src/platform/ArchiveFileSystem.ts", import.meta.url)),
      },
      { find: /^pxar-fuse$/, replacement: fileURLToPath(new URL("src/index.ts", import.meta.url)) },
    ],
  },
  test: {
    pool: "forks",
    // Its default leaves one core to others, which of two is half.
    maxWorkers: "100%",
    globalSetup: "test/support/buildCommand.ts",
    setupFiles: "test/support/closeInherited.ts",
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // The programs that tests start load the same modules again and again.
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL("node_modules/.cache/node", import.meta.url)) },
    projects: [
      { extends: true, test: { name: "page", include: page, fileParallelism: false, sequence: { groupOrder: 3 } } },
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: [...mounted, ...dist, ...page, ...places],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        // One file at a time: they count requests, and one makes the kernel forget all it has cached.
        test: { name: "mounted", include: mounted, fileParallelism: false, sequence: { groupOrder: 1 } },
      },
      { extends: true, test: { name: "places", include: places, fileParallelism: false, sequence: { groupOrder: 4 } } },
      // One file at a time: one builds the command that the other runs.
      { extends: true, test: { name: "dist", include: dist, fileParallelism: false, sequence: { groupOrder: 2 } } },
    ],
  },
})
