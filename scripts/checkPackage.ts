/**
 * Checks the package as those who install it get it: packed, in an empty project, with the oldest and the current
 * version of Node, and with both compilers that this project has; by pnpm, yarn (node-modules) and bun too; and within its
 * size. Needs the registry, and `/dev/fuse` for the examples that mount.
 *
 * Two lines of work go on at once; each command is printed when it has ended, with what it said and the seconds it took.
 */
import { execFileSync, spawn } from "node:child_process"
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
const run = async (
  cwd: string,
  command: string,
  args: ReadonlyArray<string>,
  env: NodeJS.ProcessEnv = {},
): Promise<void> => {
  const began = performance.now()
  const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } })
  const said: Array<Buffer> = []
  for (const output of [child.stdout, child.stderr]) output.on("data", (bytes: Buffer) => said.push(bytes))
  const code = await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve))
  const line = [path.basename(command), ...args.filter((arg) => !arg.includes("\n"))].join(" ")
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  process.stdout.write(`> ${line} (${seconds} s)\n${Buffer.concat(said).toString()}`)
  if (code !== 0) throw new Error(`${line} ends with ${String(code)}`)
}

interface Manifest {
  readonly name: string
  readonly version: string
  readonly engines: { readonly node: string }
  readonly devDependencies: Readonly<Record<string, string>>
}
const { devDependencies, engines, name, version }: Manifest = JSON.parse(
  readFileSync(path.join(root, "package.json"), "utf8"),
)
const pinned = (dependency: string): string => `${dependency}@${devDependencies[dependency]}`
const oldestNode = `${engines.node.replace(/^>=/, "")}.0`

/** Bytes of the package as it is packed, at most. */
const LARGEST = 1_500_000

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
const QUIET = ["--no-audit", "--no-fund", "--loglevel=error"]
const WITHOUT_SCRIPTS = ["--ignore-scripts", ...QUIET]

const folder = mkdtempSync(path.join(tmpdir(), "pxar-fuse-package-"))
const tarball = path.join(folder, `${name}-${version}.tgz`)

/** An empty project, or one with these files. */
const projectIn = (directory: string, files: Readonly<Record<string, string>> = {}): string => {
  const project = path.join(folder, directory)
  mkdirSync(project, { recursive: true })
  const all = { "package.json": JSON.stringify({ private: true, type: "module" }), ...files }
  for (const [file, text] of Object.entries(all)) writeFileSync(path.join(project, file), text)
  return project
}

/** What those get who write programs: the library and its types, and the examples of this project. */
const library = async (): Promise<void> => {
  const project = projectIn("project", { "tsconfig.json": JSON.stringify(consumerConfig) })
  cpSync(path.join(root, "examples"), project, { recursive: true })
  const install = (...packages: ReadonlyArray<string>) =>
    run(project, "npm", ["install", ...WITHOUT_SCRIPTS, ...packages])
  await install(tarball, pinned("effect"))
  await run(project, process.execPath, ["--input-type=module", "--eval", importCheck])
  await run(project, path.join(project, "node_modules/.bin/pxar-fuse"), ["--version"])
  await install(pinned("@effect/platform-node"), pinned("@types/node"), `node-linux-${process.arch}@${oldestNode}`)
  for (const tsc of [bin("tsc"), path.join(root, "tools/api/node_modules/.bin/tsc")]) {
    await run(project, tsc, ["--project", "."])
  }
  const old = path.join(project, `node_modules/node-linux-${process.arch}/bin/node`)
  await run(project, old, ["--input-type=module", "--eval", importCheck])
  await run(project, old, [path.join(project, "node_modules", name, "dist/cli/main.js"), "--version"])
  for (const node of [process.execPath, old]) {
    await run(root, bin("vitest"), ["run", "test/mounted/Examples.test.ts"], {
      PXAR_FUSE_EXAMPLES: project,
      PXAR_FUSE_NODE: node,
    })
  }
}

/** What other package managers and runtimes make of it. */
const others = async (): Promise<void> => {
  const installed = path.join(projectIn("managers"), "node_modules")
  const deno = process.arch === "x64" ? ["@deno/linux-x64-glibc@2.9.6"] : []
  const wanted = managers.map(({ from }) => from).concat(deno)
  await run(path.dirname(installed), "npm", ["install", ...WITHOUT_SCRIPTS, ...wanted])
  // Caches and stores of their own: nothing is left in the home of whoever runs this. Where the registry is, and whom to
  // trust, npm may know from files that the others do not read.
  const npm = (key: string): string => execFileSync("npm", ["config", "get", key], { encoding: "utf8" }).trim()
  const [registry, authorities] = [npm("registry"), process.env["NODE_EXTRA_CA_CERTS"] ?? npm("cafile")]
  const own = {
    npm_config_registry: registry,
    YARN_NPM_REGISTRY_SERVER: registry.replace(/\/$/, ""),
    ...(authorities !== "null" && { NODE_EXTRA_CA_CERTS: authorities }),
    // Some refuse what was published lately; what is pinned here is meant, on whatever day.
    pnpm_config_minimum_release_age: "0",
    YARN_NPM_MINIMAL_AGE_GATE: "0",
    HOME: folder,
    XDG_DATA_HOME: folder,
    XDG_CACHE_HOME: folder,
    YARN_GLOBAL_FOLDER: path.join(folder, "yarn"),
    DENO_DIR: path.join(folder, "deno"),
  }
  for (const [index, { add, command, files, from }] of managers.entries()) {
    const project = projectIn(`manager-${index}`, files)
    const packed = from.startsWith("@yarnpkg") ? `${name}@file:${tarball}` : tarball
    await run(project, path.join(installed, command), [...add, packed], own)
    await run(project, path.join(project, "node_modules/.bin", name), ["list", golden])
  }
  if (process.arch !== "x64") return
  // What bun has installed runs in bun, and in Deno, as far as nothing is mounted.
  const main = path.join(folder, `manager-${managers.length - 1}/node_modules`, name, "dist/cli/main.js")
  await run(folder, path.join(installed, "@oven/bun-linux-x64/bin/bun"), [main, "list", golden])
  await run(folder, path.join(installed, "@deno/linux-x64-glibc/deno"), ["run", "-A", main, "list", golden], own)
}

/** The command alone, without effect, which it contains, on a machine without a compiler. */
const alone = async (): Promise<void> => {
  const project = projectIn("bare")
  const mountPoint = path.join(folder, "mnt")
  const tools = path.join(folder, "tools")
  for (const directory of [mountPoint, tools]) mkdirSync(directory)
  const places = (process.env["PATH"] ?? "").split(":")
  for (const tool of ["node", "npm", "sh", "fusermount3"]) {
    const found = places.map((place) => path.join(place, tool)).find((file) => existsSync(file))
    if (found !== undefined) symlinkSync(realpathSync(found), path.join(tools, tool))
  }
  await run(project, "npm", ["install", ...QUIET, tarball], { PATH: tools })
  for (const peer of ["effect", "fuse-native"]) {
    if (existsSync(path.join(project, "node_modules", peer)))
      throw new Error(`the command alone brings ${peer} with it`)
  }
  const command = path.join(project, "node_modules/.bin", name)
  await run(project, command, ["--version"], { PATH: tools })
  if (!existsSync("/dev/fuse")) return
  await run(project, command, ["mount", golden, mountPoint], { PATH: tools })
  try {
    await run(mountPoint, "/bin/cat", ["hello"])
  } finally {
    await run(project, command, ["unmount", mountPoint], { PATH: tools })
  }
}

try {
  await run(root, "npm", ["pack", "--silent", "--pack-destination", folder])
  const { size } = statSync(tarball)
  process.stdout.write(`${size} bytes, of ${LARGEST} at most\n`)
  if (size > LARGEST) throw new Error(`the package has ${size} bytes: more than ${LARGEST}`)
  const rest = async (): Promise<void> => {
    await run(root, bin("publint"), ["run", tarball, "--strict"])
    await run(root, bin("attw"), [tarball, "--profile", "esm-only", "--format", "ascii"])
    await others()
    await alone()
  }
  // Both end before the folder goes, also when one fails.
  const ended = await Promise.allSettled([library(), rest()])
  const failed = ended.find((each) => each.status === "rejected")
  if (failed !== undefined) throw failed.reason
} finally {
  rmSync(folder, { recursive: true })
}
