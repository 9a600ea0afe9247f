/**
 * Checks the package as those who install it get it: packed, in an empty project, with the oldest and the current
 * version of Node, and with both compilers that this project has; by pnpm, yarn (node-modules) and bun too; and within its size. Needs the registry, and `/dev/fuse` for the examples
 * that mount.
 */
import { execFileSync } from "node:child_process"
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"

const root = path.join(import.meta.dirname, "..")
const bin = (name: string): string => path.join(root, "node_modules/.bin", name)
const run = (cwd: string, command: string, args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = {}): void => {
  process.stdout.write(`> ${path.basename(command)} ${args.filter((arg) => !arg.includes("\n")).join(" ")}\n`)
  execFileSync(command, args, { cwd, stdio: "inherit", env: { ...process.env, ...env } })
}

interface Manifest {
  readonly name: string
  readonly version: string
  readonly engines: { readonly node: string }
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}
const { dependencies, devDependencies, engines, name, version }: Manifest = JSON.parse(
  readFileSync(path.join(root, "package.json"), "utf8"),
)
const pinned = (dependency: string): string => `${dependency}@${devDependencies[dependency]}`
const oldestNode = `${engines.node.replace(/^>=/, "")}.0`

/** Bytes of the package as it is packed, at most. A client for HTTP, 0.19 MB of it, is there twice: see `scripts/build.ts`. */
const LARGEST = 1_800_000

/**
 * Other package managers, each in the version that was tried, without install scripts: words that install a package, and
 * the file of a project that this needs.
 */
const managers: ReadonlyArray<{
  readonly from: string
  readonly command: string
  readonly add: ReadonlyArray<string>
  readonly files: Readonly<Record<string, string>>
}> = [
  { from: "pnpm@12.21.0", command: ".bin/pnpm", add: ["add", "--ignore-scripts"], files: {} },
  {
    from: "@yarnpkg/cli-dist@4.18.1",
    command: ".bin/yarn",
    add: ["add"],
    files: { ".yarnrc.yml": "nodeLinker: node-modules\nenableScripts: false\n", "yarn.lock": "" },
  },
  ...(process.arch === "x64"
    ? [
        {
          from: "@oven/bun-linux-x64@1.4.5",
          command: "@oven/bun-linux-x64/bin/bun",
          add: ["add", "--ignore-scripts"],
          files: {},
        },
      ]
    : []),
]

/** Importing the library may not change the process or keep it running. */
const importCheck = `
  const observe = () => JSON.stringify([Object.getOwnPropertyNames(globalThis), process.eventNames(), process.env])
  const before = observe()
  for (const entry of ["${name}", "${name}/FileSystem", "${name}/Testing"]) {
    if (Object.keys(await import(entry)).length === 0) throw new Error("no exports of " + entry)
  }
  if (observe() !== before) throw new Error("importing the library changes the process")
  const active = process.getActiveResourcesInfo().filter((resource) => !/Pipe|TTY|Immediate/.test(resource))
  if (active.length > 0) throw new Error("importing the library leaves something running: " + active)
`

const consumerConfig = {
  compilerOptions: {
    target: "es2024",
    lib: ["es2024", "dom"],
    module: "nodenext",
    types: ["node"],
    noEmit: true,
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noPropertyAccessFromIndexSignature: true,
    verbatimModuleSyntax: true,
    erasableSyntaxOnly: true,
    skipLibCheck: false,
  },
}

const golden = path.join(root, "fixtures/golden/tiny/hello-v1.pxar")
const folder = mkdtempSync(path.join(tmpdir(), "pxar-fuse-package-"))
try {
  const project = path.join(folder, "project")
  const tarball = path.join(folder, `${name}-${version}.tgz`)
  run(root, "npm", ["pack", "--silent", "--pack-destination", folder])
  const { size } = statSync(tarball)
  if (size > LARGEST) throw new Error(`the package has ${size} bytes: more than ${LARGEST}`)
  run(root, bin("publint"), ["run", tarball, "--strict"])
  run(root, bin("attw"), [tarball, "--profile", "esm-only", "--format", "ascii"])

  cpSync(path.join(root, "examples"), project, { recursive: true })
  writeFileSync(path.join(project, "package.json"), JSON.stringify({ private: true, type: "module" }))
  writeFileSync(path.join(project, "tsconfig.json"), JSON.stringify(consumerConfig))
  const install = (...packages: ReadonlyArray<string>) =>
    run(project, "npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", ...packages])
  install(tarball, pinned("effect"))
  run(project, process.execPath, ["--input-type=module", "--eval", importCheck])
  run(project, path.join(project, "node_modules/.bin/pxar-fuse"), ["--version"])
  install(pinned("@effect/platform-node"), pinned("@types/node"), `node-linux-${process.arch}@${oldestNode}`)
  for (const tsc of [bin("tsc"), path.join(root, "tools/api/node_modules/.bin/tsc")]) {
    run(project, tsc, ["--project", "."])
  }
  const old = path.join(project, `node_modules/node-linux-${process.arch}/bin/node`)
  run(project, old, ["--input-type=module", "--eval", importCheck])
  run(project, old, [path.join(project, "node_modules", name, "dist/cli/main.js"), "--version"])
  for (const node of [process.execPath, old]) {
    run(root, bin("vitest"), ["run", "test/mounted/Examples.test.ts"], {
      PXAR_FUSE_EXAMPLES: project,
      PXAR_FUSE_NODE: node,
    })
  }

  const others = path.join(folder, "managers")
  mkdirSync(others)
  writeFileSync(path.join(others, "package.json"), JSON.stringify({ private: true }))
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
  const deno = process.arch === "x64" ? ["@deno/linux-x64-glibc@2.9.6"] : []
  run(others, "npm", ["install", ...quiet, ...managers.map(({ from }) => from), ...deno])
  for (const [index, { add, command, files, from }] of managers.entries()) {
    const directory = path.join(folder, `manager-${index}`)
    mkdirSync(directory)
    writeFileSync(path.join(directory, "package.json"), JSON.stringify({ private: true }))
    for (const [file, text] of Object.entries(files)) writeFileSync(path.join(directory, file), text)
    // Caches and stores of their own: nothing is left in the home of whoever runs this.
    const own = {
      HOME: folder,
      XDG_DATA_HOME: folder,
      XDG_CACHE_HOME: folder,
      YARN_GLOBAL_FOLDER: path.join(folder, "yarn"),
    }
    const packed = from.startsWith("@yarnpkg") ? `${name}@file:${tarball}` : tarball
    run(directory, path.join(others, "node_modules", command), [...add, packed], own)
    run(directory, path.join(directory, "node_modules/.bin", name), ["list", golden])
  }
  // What it has installed runs in its own runtime, and in Deno's, as far as nothing is mounted.
  const main = path.join(folder, `manager-${managers.length - 1}/node_modules`, name, "dist/cli/main.js")
  if (process.arch === "x64") {
    run(folder, path.join(others, "node_modules/@oven/bun-linux-x64/bin/bun"), [main, "list", golden])
    run(folder, path.join(others, "node_modules/@deno/linux-x64-glibc/deno"), ["run", "-A", main, "list", golden], {
      DENO_DIR: path.join(folder, "deno"),
    })
  }

  // The command alone: without effect, which it contains, and without its optional dependencies, on a machine without a
  // compiler. The binary of koffi is an optional dependency of koffi's own.
  const bare = path.join(folder, "bare")
  const mountPoint = path.join(folder, "mnt")
  const tools = path.join(folder, "tools")
  for (const directory of [bare, mountPoint, tools]) mkdirSync(directory)
  const places = (process.env["PATH"] ?? "").split(":")
  for (const tool of ["node", "npm", "sh", "fusermount3"]) {
    const found = places.map((place) => path.join(place, tool)).find((file) => existsSync(file))
    if (found !== undefined) symlinkSync(realpathSync(found), path.join(tools, tool))
  }
  writeFileSync(path.join(bare, "package.json"), JSON.stringify({ private: true }))
  const koffi = `@koromix/koffi-linux-${process.arch}@${dependencies["koffi"]}`
  const npm = ["install", "--omit=optional", "--no-audit", "--no-fund", "--loglevel=error"]
  run(bare, "npm", [...npm, tarball, koffi], { PATH: tools })
  if (existsSync(path.join(bare, "node_modules/effect"))) throw new Error("the command alone brings effect with it")
  const command = path.join(bare, "node_modules/.bin", name)
  run(bare, command, ["--version"], { PATH: tools })
  if (existsSync("/dev/fuse")) {
    run(bare, command, ["mount", path.join(root, "fixtures/golden/tiny/hello-v1.pxar"), mountPoint], { PATH: tools })
    try {
      run(mountPoint, "/bin/cat", ["hello"])
    } finally {
      run(bare, command, ["unmount", mountPoint], { PATH: tools })
    }
  }
} finally {
  rmSync(folder, { recursive: true })
}
