/**
 * `npm run dist [KIND…]`: packages for people without Node, in `release`: a tarball, a `.deb` and an `.rpm` for each kind
 * of machine, the list of what they contain (CycloneDX) and checksums. The same commit makes the same packages.
 *
 * `release` is emptied first. KIND is `tarball`, `deb`, `rpm`, `x64` or `arm64`; without it, all. Needs `xz`, `dpkg-deb` and `rpmbuild`. With
 * `PXAR_FUSE_DIST_LEVEL=1` it compresses less and takes a tenth of the time.
 */
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import * as Deb from "./Deb.ts"
import { type Machine, machines, name, root, run, version } from "./Release.ts"
import * as Rpm from "./Rpm.ts"
import * as Sbom from "./Sbom.ts"
import * as Staging from "./Staging.ts"
import * as Tarball from "./Tarball.ts"

const makers = { tarball: Tarball.make, deb: Deb.make, rpm: Rpm.make }
const wanted = new Set(process.argv.slice(2))
const known = [...Object.keys(makers), ...machines.map(({ node }) => node)]
const unknown = [...wanted].find((word) => !known.includes(word))
if (unknown !== undefined) throw new Error(`${unknown}: no kind of package; there are ${known.join(", ")}`)
/** Those of several words that were named; all of them if none was. */
const named = (all: ReadonlyArray<string>): ReadonlySet<string> => {
  const some = all.filter((word) => wanted.has(word))
  return new Set(some.length > 0 ? some : all)
}
const kinds = named(Object.keys(makers))
const architectures = named(machines.map(({ node }) => node))

// What is in a package is for everybody, whatever whoever makes it lets others read.
process.umask(0o022)
await run("npm", ["run", "--silent", "build"])
// Of every kind of machine, and nothing of it is run.
await run("npm", [
  "ci",
  "--prefix",
  "tools/runtime",
  "--force",
  "--ignore-scripts",
  "--no-audit",
  "--no-fund",
  "--loglevel=error",
])
const target = path.join(root, "release")
// What is published is what lies there: nothing of an older release.
fs.rmSync(target, { recursive: true, force: true })
fs.mkdirSync(target)
const folder = fs.mkdtempSync(path.join(tmpdir(), "pxar-fuse-dist-"))
try {
  const pack = async (machine: Machine): Promise<ReadonlyArray<string>> => {
    const stage = path.join(folder, machine.node)
    Staging.make(stage, machine)
    const files: Array<string> = []
    for (const [kind, make] of Object.entries(makers)) {
      if (kinds.has(kind)) files.push(await make(stage, target, machine))
    }
    return files
  }
  // Two at once: compression takes most of the time, and one core each.
  const files = (await Promise.all(machines.filter(({ node }) => architectures.has(node)).map(pack))).flat()
  const sbom = path.join(target, `${name}-${version}.cdx.json`)
  fs.writeFileSync(sbom, Sbom.make())
  files.push(sbom)
  const sums = files.map((file) => {
    const sum = createHash("sha256").update(fs.readFileSync(file)).digest("hex")
    return `${sum}  ${path.basename(file)}\n`
  })
  fs.writeFileSync(path.join(target, "SHA256SUMS"), sums.join(""))
  for (const file of files) console.log(`${path.relative(root, file)}: ${(fs.statSync(file).size / 1e6).toFixed(1)} MB`)
} finally {
  fs.rmSync(folder, { recursive: true })
}
