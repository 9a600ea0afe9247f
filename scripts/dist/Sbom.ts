/**
 * What the packages of a release contain, as CycloneDX: the components that npm knows of, without those that only build or
 * test. The same commit gives the same text.
 */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { epoch, root } from "./Release.ts"

interface Component {
  readonly name: string
  readonly version: string
}
interface Bom {
  readonly metadata: Readonly<Record<string, unknown>> & { readonly component: Component }
  readonly components: ReadonlyArray<Component>
  readonly [key: string]: unknown
}

const npm = (...args: ReadonlyArray<string>): Bom =>
  JSON.parse(
    execFileSync("npm", ["sbom", "--sbom-format=cyclonedx", ...args], {
      cwd: root,
      maxBuffer: 64 * 1024 * 1024,
    }).toString(),
  )

/** The text. The project must have been built, and `tools/runtime` installed. */
export const make = (): string => {
  const { components, dependencies: _, serialNumber: __, ...bom } = npm()
  // npm names it by the folder that it is in.
  const component = { ...bom.metadata.component, name: "pxar-fuse" }
  const notices = fs.readFileSync(path.join(root, "dist/THIRD-PARTY-NOTICES.txt"), "utf8")
  const isIn = ({ name, version }: Component) => notices.includes(`\n${name} ${version} (`)
  const runtime = npm("--prefix", "tools/runtime", "--package-lock-only")
  return `${JSON.stringify(
    {
      ...bom,
      metadata: { ...bom.metadata, component, timestamp: new Date(epoch() * 1000).toISOString() },
      components: [...components.filter(isIn), ...runtime.components],
    },
    undefined,
    2,
  )}\n`
}
