/**
 * `npm run dist [KIND…]`: packages for people without Node, in `release`: a tarball, a `.deb` and an `.rpm` for each kind
 * of machine, the list of what they contain (CycloneDX) and checksums. The same commit makes the same packages.
 *
 * KIND is `tarball`, `deb`, `rpm`, `x64` or `arm64`; without it, all. Needs `xz`, `dpkg-deb` and `rpmbuild`. With
 * `PXAR_FUSE_DIST_LEVEL=1` it compresses less and takes a tenth of the time.
 */
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import * as Deb from "./Deb.ts"
import { machines, name, root, run, version } from "./Release.ts"
import * as Rpm from "./Rpm.ts"
import * as Sbom from "./Sbom.ts"
import * as Staging from "./Staging.ts"
import * as Tarball from "./Tarball.ts"

const makers = { tarball: Tarball.make, deb: Deb.make, rpm: Rpm.make }
const wanted = new Set(process.argv.slice(2))
const known = [...Object.keys(makers), ...machines.map(({ node }) => node)]
const unknown = [...wanted].find((word) => !known.includes(word))
if (unknown !== undefined) throw new Error(`${unknown}: no kind of package; there are ${known.join(", ")}`)
/** Whether one of several is wanted: none is named, or this one. */
const isWanted = (word: string, all: ReadonlyArray<string>): boolean =>
  wanted.has(word) || !all.some((other) => wanted.has(other))

run("npm", ["run", "--silent", "build"])
// Of every kind of machine, and nothing of it is run.
run("npm", ["ci", "--prefix", "tools/runtime", "--force", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"])
const target = path.join(root, "release")
fs.mkdirSync(target, { recursive: true })
const folder = fs.mkdtempSync(path.join(tmpdir(), "pxar-fuse-dist-"))
try {
  const files: Array<string> = []
  for (const machine of machines) {
    if (
      !isWanted(
        machine.node,
        machines.map(({ node }) => node),
      )
    )
      continue
    const stage = path.join(folder, machine.node)
    Staging.make(stage, machine)
    for (const [kind, make] of Object.entries(makers)) {
      if (isWanted(kind, Object.keys(makers))) files.push(make(stage, target, machine))
    }
  }
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
