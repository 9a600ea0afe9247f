import { defineConfig, type OxlintOverride } from "oxlint"
import type { Rooms } from "./tools/lint/rooms.ts"

/**
 * The rooms of `src`, each with those that it stands on: it may import these and what they stand on, nothing else
 * (docs/architecture.md has the picture). A new folder needs a line here.
 */
const rooms: Rooms = {
  domain: [],
  "domain/pxar": ["domain"],
  "domain/datastore": ["domain"],
  "domain/json": ["domain/pxar", "domain/datastore"],
  "services/AtOnce.ts": ["domain/json"],
  "services/posix": ["services/AtOnce.ts"],
  "services/http": ["services/AtOnce.ts"],
  "services/s3": ["services/posix", "services/http"],
  "services/bytes": ["services/s3"],
  "services/disk": ["services/s3"],
  "services/archive": ["services/bytes", "services/disk"],
  "services/create": ["services/bytes", "services/disk"],
  "services/tree": ["services/archive", "services/create"],
  "services/compare": ["services/tree"],
  "services/blobs": ["services/tree"],
  "services/keys": ["services/tree"],
  "services/chunks": ["services/compare", "services/blobs", "services/keys"],
  "services/repository": ["services/chunks"],
  "services/virtual": ["services/repository"],
  "services/server": ["services/repository"],
  "services/open": ["services/virtual", "services/server"],
  "services/extract": ["services/virtual", "services/server"],
  "services/verify": ["services/virtual", "services/server"],
  "services/heal": ["services/virtual", "services/server"],
  "services/export": ["services/virtual", "services/server"],
  "services/index": ["services/virtual", "services/server"],
  "services/history": [
    "services/index",
    "services/open",
    "services/extract",
    "services/verify",
    "services/heal",
    "services/export",
  ],
  "services/LookupRegistry.ts": ["services/history"],
  "fuse/wire": ["services/LookupRegistry.ts"],
  "fuse/bridge": ["fuse/wire"],
  "fuse/session": ["fuse/bridge"],
  "fuse/mount": ["fuse/session"],
  "fuse/native": ["fuse/mount"],
  fuse: ["fuse/native"],
  web: ["services/LookupRegistry.ts"],
  cli: ["fuse", "web"],
  testing: ["fuse", "web"],
  platform: ["fuse", "web"],
  "index.ts": ["fuse", "web"],
}

/** What effect calls unstable may change in any of its releases: it stays at the edges. */
const unstable = {
  regex:
    "^effect/(Arbitrary|Bytes|ByteSize|cli|FileSystem|LayerMap|Path|PlatformError|process|Stdio|Terminal|testing)(/|$)",
  message: "stable effect modules only",
}
const platform = (regex: string) => ({ regex, message: "no platform here" })

/** Which packages files may not import: barrels, and what matches a pattern. */
const packages = (files: Array<string>, ...patterns: Array<{ regex: string; message: string }>): OxlintOverride => ({
  files,
  rules: {
    "no-restricted-imports": [
      "error",
      {
        paths: ["effect", "@effect/platform-node"].map((name) => ({
          name,
          message: "import modules by namespace: the barrel is slow to load",
        })),
        patterns,
      },
    ],
  },
})

export default defineConfig({
  plugins: ["typescript", "unicorn", "oxc", "import"],
  jsPlugins: ["./tools/lint/rooms.ts"],
  categories: {
    correctness: "error",
    suspicious: "error",
    perf: "error",
  },
  env: { node: true, es2024: true },
  ignorePatterns: ["dist", "fixtures"],
  rules: {
    eqeqeq: "error",
    "no-console": "error",
    "no-var": "error",
    "prefer-const": "error",
    "typescript/consistent-type-imports": "error",
    "typescript/no-explicit-any": "error",
    "typescript/no-non-null-assertion": "error",
    "import/no-cycle": ["error", { ignoreTypes: false }],
    "import/no-unassigned-import": "off",
    "no-shadow": "off",
    "no-await-in-loop": "off",
    "no-underscore-dangle": "off",
    "unicorn/no-array-sort": "off",
    "unicorn/no-array-method-this-argument": "off",
    "unicorn/consistent-function-scoping": "off",
    "unicorn/prefer-add-event-listener": "off",
    "unicorn/require-post-message-target-origin": "off",
  },
  overrides: [
    { files: ["src/**"], rules: { "rooms/direction": ["error", rooms], "rooms/no-lazy-circle": "error" } },
    packages(["src/**"]),
    packages(["src/domain/**"], unstable, platform("^(node:|koffi|@effect/)")),
    packages(["src/services/**", "src/fuse/**"], unstable, platform("^@effect/")),
    { files: ["test/**"], rules: { "no-console": "off", "typescript/no-non-null-assertion": "off" } },
  ],
})
