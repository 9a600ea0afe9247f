/**
 * A package for Debian and its kin: what is installed is what is in it. Made by `dpkg-deb`.
 */
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { gzipSync } from "node:zlib"
import { description, epoch, level, type Machine, name, run, version } from "./Release.ts"
import { setTimes } from "./Staging.ts"

const maintainer = "The pxar-fuse authors <pxar-fuse@example.org>"

/** What lintian says of a Node that carries its libraries in it, and of a package that is not Debian's own. */
const overrides = `# The Node of its project, as it is published: its checksum can be compared.
${name}: embedded-library *
${name}: unstripped-binary-or-object *
${name}: hardening-no-pie *
# The licences of the packages of npm, each as it came.
${name}: extra-license-file *
`

/** Packs a tree (see `Staging`). Returns the file. */
export const make = async (stage: string, target: string, machine: Machine): Promise<string> => {
  const folder = `${stage}.deb`
  fs.mkdirSync(path.join(folder, "DEBIAN"), { recursive: true })
  fs.cpSync(stage, path.join(folder, "usr"), { recursive: true, preserveTimestamps: true })
  const doc = path.join(folder, "usr/share/doc", name)
  const day = new Date(epoch() * 1000).toUTCString().replace("GMT", "+0000")
  const changes = `${name} (${version}) unstable; urgency=medium\n\n  * See docs/CHANGELOG.md.\n\n -- ${maintainer}  ${day}\n`
  fs.writeFileSync(path.join(doc, "changelog.gz"), gzipSync(changes, { level: 9 }))
  const lintian = path.join(folder, "usr/share/lintian/overrides")
  fs.mkdirSync(lintian, { recursive: true })
  fs.writeFileSync(path.join(lintian, name), overrides)

  const files = fs
    .readdirSync(path.join(folder, "usr"), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .toSorted()
  const sizes = files.map((file) => fs.statSync(file).size)
  const sums = files.map((file) => {
    const sum = createHash("md5").update(fs.readFileSync(file)).digest("hex")
    return `${sum}  ${path.relative(folder, file)}\n`
  })
  const control = [
    `Package: ${name}`,
    `Version: ${version}`,
    `Architecture: ${machine.debian}`,
    `Maintainer: ${maintainer}`,
    `Installed-Size: ${Math.ceil(sizes.reduce((sum, size) => sum + size, 0) / 1024)}`,
    "Depends: fuse3, libc6 (>= 2.28), libgcc-s1, libstdc++6",
    "Section: utils",
    "Priority: optional",
    `Description: ${description.charAt(0).toLowerCase()}${description.slice(1, 58)}`,
    ...LONG.map((line) => ` ${line}`),
  ]
  fs.writeFileSync(path.join(folder, "DEBIAN/control"), `${control.join("\n")}\n`)
  fs.writeFileSync(path.join(folder, "DEBIAN/md5sums"), sums.join(""))
  fs.writeFileSync(path.join(folder, "DEBIAN/postrm"), POSTRM)
  setTimes(folder, epoch())
  fs.chmodSync(path.join(folder, "DEBIAN/postrm"), 0o755)
  const file = path.join(target, `${name}_${version}_${machine.debian}.deb`)
  await run("dpkg-deb", ["--root-owner-group", "-Zxz", `-z${level}`, "--build", folder, file], {
    SOURCE_DATE_EPOCH: String(epoch()),
  })
  return file
}

/** Where mounts of root are known by; empty when none is left. */
const POSTRM = `#!/bin/sh
set -e
if [ "$1" = purge ] || [ "$1" = remove ]; then rmdir --ignore-fail-on-non-empty /run/${name} 2>/dev/null || true; fi
`

const LONG = [
  "Opens archives (.pxar, or .mpxar with .ppxar) and datastores of Proxmox Backup",
  "Server without a server: as a read-only file system, by keyboard, or file by",
  "file, with owners, times, links, devices, attributes, ACLs and capabilities.",
  "Encrypted backups are opened with their key.",
  ".",
  "It brings its own Node.js.",
]
