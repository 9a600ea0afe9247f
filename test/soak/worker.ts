/**
 * Uses the mount of a soak in one way until it is told to stop. Started by `soak.ts`; arguments: the way, the mount point,
 * a seed. Compares what it sees with the golden view, and prints what is not as it should be.
 */
import * as crypto from "node:crypto"
import * as fs from "node:fs"
import * as Golden from "../support/Golden.ts"
import * as MountedTree from "../support/MountedTree.ts"
import * as Random from "../support/Random.ts"
import * as Syscalls from "../support/Syscalls.ts"

export type Way = "walk" | "read" | "xattr" | "drop"

const [way, mountPoint = "", seed = "0"] = process.argv.slice(2)
const random = Random.make(Number(seed))
const golden = Golden.treeV2
const view = golden.view()
const files = view.filter(({ kind }) => kind === "file")
const at = (file: Golden.View): Buffer => Buffer.concat([Buffer.from(mountPoint), file.path])
const hash = (bytes: Uint8Array): string => crypto.createHash("sha256").update(bytes).digest("hex")

let turns = 0
let stop = false
const wrong = (what: string): void => {
  process.stderr.write(`${way}: ${what}\n`)
  process.exitCode = 1
  stop = true
}

/** Interruptions are answered: a read that was cut off by nobody must be whole. */
const turn = (): void => {
  switch (way as Way) {
    case "walk": {
      const [start] = random.once(3) ? view : view.filter(({ kind, path }) => kind === "directory" && path.length > 1)
      const below = String(start?.path.toString("latin1"))
      const expected = view.filter(({ path }) => {
        const text = path.toString("latin1")
        return below === "/" || text === below || text.startsWith(`${below}/`)
      })
      const seen: Array<string> = []
      const visit = (path: Buffer): void => {
        const full = Buffer.concat([Buffer.from(mountPoint), path])
        const stat = fs.lstatSync(full)
        seen.push(`${path.toString("latin1")} ${stat.mode} ${stat.size}`)
        if (!stat.isDirectory()) return
        for (const { name } of MountedTree.list(full)) {
          visit(Buffer.concat(path.length === 1 ? [path, name] : [path, MountedTree.SLASH, name]))
        }
      }
      visit(Buffer.from(below, "latin1"))
      const right = expected.map(({ mode, path, size }) => `${path.toString("latin1")} ${mode} ${size}`)
      if (seen.sort().join("\n") !== right.sort().join("\n"))
        wrong(`${below}: ${seen.length} of ${right.length} entries`)
      return
    }
    case "read": {
      const file = random.pick(files)
      if (hash(fs.readFileSync(at(file))) !== file.sha256) wrong(`${String(file.path)}: other bytes`)
      return
    }
    case "xattr": {
      const file = random.pick(view)
      const seen = Syscalls.xattrs(at(file))
      if (JSON.stringify(Object.entries(seen).sort()) !== JSON.stringify(Object.entries(file.xattrs).sort())) {
        wrong(`${String(file.path)}: other attributes`)
      }
      return
    }
    case "drop":
      // Much is read between two of these.
      for (let reads = random.below(200); reads > 0; reads--) fs.lstatSync(at(random.pick(view)))
      return fs.writeFileSync("/proc/sys/vm/drop_caches", random.once(2) ? "3" : "2")
  }
}

const go = (): void => {
  try {
    turn()
    turns++
  } catch (error) {
    wrong(String((error as Error).stack))
  }
  if (stop) {
    process.stdout.write(String(turns))
    if (process.connected) process.disconnect()
  } else setImmediate(go)
}
process.on("message", () => void (stop = true))
process.on("disconnect", () => void (stop = true))
go()
