/** Writes `fixtures/should-fail`: one small archive for each kind of damage, and `manifest.json`. */
import * as fs from "node:fs"
import * as path from "node:path"
import * as DamagedArchives from "../support/DamagedArchives.ts"

const folder = path.join(import.meta.dirname, "../../fixtures/should-fail")
const manifest: Record<string, unknown> = {}
for (const [name, damaged] of DamagedArchives.all) {
  const { bytes, expected, limits, payload } = damaged
  const archive = `${name}.${DamagedArchives.suffix(damaged)}`
  fs.writeFileSync(path.join(folder, archive), bytes)
  if (payload !== undefined) fs.writeFileSync(path.join(folder, `${name}.ppxar`), payload)
  manifest[archive] = { ...expected, ...(limits && { limits }) }
}
fs.writeFileSync(path.join(folder, "manifest.json"), `${JSON.stringify(manifest, undefined, 2)}\n`)
