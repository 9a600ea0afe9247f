/**
 * The lint rules about imports are seen to fail: each import that the order of rooms in docs/architecture.md forbids, and
 * circles of two and three files, stand in a folder of their own that is linted with this project's configuration.
 */
import { execFile } from "node:child_process"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"

const root = path.join(import.meta.dirname, "../..")

/** The order as the document draws it: of what stands to the left everything may be imported, of its neighbours nothing. */
const [, drawing = ""] = /```text\n(domain ◀[^]*?)```/.exec(
  fs.readFileSync(path.join(root, "docs/architecture.md"), "utf8"),
)!
const order = drawing.split("◀").map((step) => step.trim().split(/,\s*/))
const rooms = order.flat()
const isFront = (room: string) => /^(fuse\b|web$)/.test(room)

const mayImport = (from: string, to: string): boolean => {
  if (isFront(from) && isFront(to) && (from === "web" || to === "web")) return false
  const step = (room: string) => order.findIndex((names) => names.includes(room))
  return step(to) < step(from)
}

/** Every way to import something; also what only a compiler sees, and what is loaded when it is needed. */
const kinds = {
  value: (target: string, name: string) => `import { value as ${name} } from "${target}"; void ${name}`,
  type: (target: string, name: string) =>
    `import type { value as ${name} } from "${target}"; export type ${name}Type = typeof ${name}`,
  exported: (target: string, name: string) => `export { value as ${name}Again } from "${target}"`,
  all: (target: string, name: string) => `export * as ${name}All from "${target}"`,
  lazy: (target: string, name: string) => `export const ${name}Lazy = () => import("${target}")`,
}

const fileOf = (room: string, name: string) => (room.endsWith(".ts") ? room : `${room}/${name}`)

let folder: string
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(tmpdir(), "pxar-fuse-rooms-"))
})
afterAll(() => fs.rmSync(folder, { recursive: true }))

/** Lints files below `src` of a project of their own; what was found, as `rule file:line`, and the exit code. */
const lint = async (files: ReadonlyMap<string, ReadonlyArray<string>>) => {
  const project = fs.mkdtempSync(path.join(folder, "project-"))
  for (const name of ["oxlint.config.ts", "tools/lint", "tsconfig.json", "package.json"]) {
    fs.cpSync(path.join(root, name), path.join(project, name), { recursive: true })
  }
  fs.symlinkSync(path.join(root, "node_modules"), path.join(project, "node_modules"))
  for (const [file, lines] of files) {
    fs.mkdirSync(path.join(project, "src", file, ".."), { recursive: true })
    fs.writeFileSync(path.join(project, "src", file), `${lines.join("\n")}\n`)
  }
  const args = [path.join(root, "node_modules/oxlint/bin/oxlint"), "--format", "unix", "src"]
  return await new Promise<{ readonly found: ReadonlyArray<string>; readonly code: unknown }>((resolve) => {
    execFile(process.execPath, args, { cwd: project, maxBuffer: 1 << 26 }, (error, stdout) => {
      const found = [...stdout.matchAll(/^src\/([^:]+):(\d+):\d+: .*\[Error\/(rooms|import)\(([a-z-]+)\)\]$/gm)]
      resolve({
        found: found.map(([, file, line, plugin, rule]) => `${plugin}/${rule} ${file}:${line}`),
        code: error === null ? 0 : error.code,
      })
    })
  })
}

describe("the rule about the direction of imports", () => {
  it("fails for an import of each kind from each room to each that it may not import, and for no other", async () => {
    const files = new Map<string, Array<string>>()
    const forbidden: Array<string> = []
    for (const room of rooms) if (!room.endsWith(".ts")) files.set(`${room}/Target.ts`, ["export const value = 1"])
    for (const from of rooms) {
      // Each folder has a folder inside that belongs to it.
      for (const name of from.endsWith(".ts") ? [""] : ["Planted.ts", "inside/Planted.ts"]) {
        const file = fileOf(from, name)
        const lines = ["export const value = 1"]
        for (const [index, to] of rooms.entries()) {
          const target = path.relative(path.dirname(file), fileOf(to, "Target.ts"))
          if (target === path.basename(file)) continue
          for (const [kind, write] of Object.entries(kinds)) {
            lines.push(write(target.startsWith(".") ? target : `./${target}`, `${kind}${index}`))
            if (to !== from && !mayImport(from, to)) forbidden.push(`rooms/direction ${file}:${lines.length}`)
          }
        }
        files.set(file, lines)
      }
    }
    assert.isAbove(forbidden.length, 2000)
    const { code, found } = await lint(files)
    assert.deepStrictEqual(found.filter((line) => line.startsWith("rooms/direction")).toSorted(), forbidden.toSorted())
    assert.strictEqual(code, 1)
  })

  it("fails for a file in a folder that has no place in the order", async () => {
    const files = new Map([["cellar/File.ts", ["export const value = 1"]]])
    assert.deepStrictEqual(await lint(files), { code: 1, found: ["rooms/direction cellar/File.ts:1"] })
  })
})

describe("the rules about circles", () => {
  it.each(Object.keys(kinds) as ReadonlyArray<keyof typeof kinds>)(
    "fail for circles of two and of three files that an import of the kind %s closes",
    async (kind) => {
      const files = new Map<string, Array<string>>()
      const circles = [
        ["TwoA", "TwoB"],
        ["ThreeA", "ThreeB", "ThreeC"],
      ]
      for (const circle of circles) {
        for (const [index, name] of circle.entries()) {
          const next = circle[(index + 1) % circle.length]!
          const write = index === 0 ? kinds[kind] : kinds.value
          files.set(`services/tree/${name}.ts`, ["export const value = 1", write(`./${next}.ts`, "next")])
        }
      }
      // This one is in no circle, though it imports from one.
      files.set("services/tree/Beside.ts", ["export const value = 1", kinds[kind]("./TwoA.ts", "next")])
      const { code, found } = await lint(files)
      for (const [first] of circles) {
        assert.isTrue(
          found.some((line) => line.endsWith(` services/tree/${first}.ts:2`)),
          `circle of ${first}`,
        )
      }
      assert.isFalse(found.some((line) => line.includes("Beside")))
      assert.strictEqual(code, 1)
    },
  )

  it("find none where there is none", async () => {
    const files = new Map([
      ["services/tree/A.ts", ["export const value = 1"]],
      ["services/tree/B.ts", ["export const value = 2", kinds.value("./A.ts", "a")]],
      ["services/tree/C.ts", [kinds.lazy("./B.ts", "b"), kinds.lazy("./A.ts", "a")]],
    ])
    assert.deepStrictEqual(await lint(files), { code: 0, found: [] })
  })
})
