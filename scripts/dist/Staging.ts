/**
 * The tree that all packages of a release are made of: `bin`, `lib`, `share`, as they stand below `/usr` or in a folder of
 * somebody's own. It holds a Node of its own, so that nothing has to be there but libc.
 *
 * What it needs from the registry is pinned, with checksums, in `tools/runtime`. Of that only the Node of this kind of machine
 * is run here: a tree for another kind is made in the same way, without V8's code caches.
 */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { gzipSync } from "node:zlib"
import * as CodeCache from "../bundle/CodeCache.ts"
import { epoch, type Machine, name, root, version } from "./Release.ts"

/** The first lines of the command: finds what stands beside it, wherever it was unpacked and by whatever link it is called. */
const launcher = `#!/bin/sh
here=$0
while [ -L "$here" ]; do
  target=$(readlink "$here")
  case $target in /*) here=$target ;; *) here=\${here%/*}/$target ;; esac
done
case $here in */*) lib=\${here%/*}/../lib/${name} ;; *) lib=../lib/${name} ;; esac
exec "$lib/node" "$lib/dist/cli/main.js" "$@"
`

const runtime = path.join(root, "tools/runtime/node_modules")

/** Makes the tree in `target`, which must not exist. The project must have been built. */
export const make = (target: string, machine: Machine): void => {
  const lib = path.join(target, "lib", name)
  const doc = path.join(target, "share/doc", name)
  const write = (file: string, content: string | Uint8Array, mode = 0o644): void => {
    fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.writeFileSync(file, content)
    fs.chmodSync(file, mode)
  }
  const copy = (from: string, to: string, mode = 0o644): void => write(to, fs.readFileSync(from), mode)
  const copyAll = (from: string, to: string): void => {
    for (const entry of fs.readdirSync(from, { withFileTypes: true, recursive: true })) {
      if (!entry.isFile()) continue
      const file = path.join(entry.parentPath, entry.name)
      copy(file, path.join(to, path.relative(from, file)), fs.statSync(file).mode & 0o111 ? 0o755 : 0o644)
    }
  }

  write(path.join(target, "bin", name), launcher, 0o755)
  copy(path.join(runtime, `node-linux-${machine.node}/bin/node`), path.join(lib, "node"), 0o755)
  for (const part of ["cli", "page"]) copyAll(path.join(root, "dist", part), path.join(lib, "dist", part))
  // Those are of another Node, and of files with other times.
  fs.rmSync(path.join(lib, "dist/cli/cache"), { recursive: true })
  write(path.join(lib, "package.json"), `${JSON.stringify({ name, version, type: "module", private: true })}\n`)

  // The package has a binary for musl too, where this Node does not run.
  const koffi = `@koromix/koffi-linux-${machine.node}`
  for (const file of ["package.json", `linux_${machine.node}/koffi.node`]) {
    copy(path.join(runtime, koffi, file), path.join(lib, "node_modules", koffi, file))
  }

  const man = fs.readFileSync(path.join(root, "dist/man/pxar-fuse.1"))
  write(path.join(target, `share/man/man1/${name}.1.gz`), gzipSync(man, { level: 9 }))
  const completions = {
    bash: `share/bash-completion/completions/${name}`,
    zsh: `share/zsh/vendor-completions/_${name}`,
    fish: `share/fish/vendor_completions.d/${name}.fish`,
  }
  for (const [shell, file] of Object.entries(completions)) {
    const script = execFileSync(process.execPath, [path.join(root, "dist/cli/main.js"), "completions", shell])
    write(path.join(target, file), script)
  }

  copy(path.join(root, "README.md"), path.join(doc, "README.md"))
  for (const entry of fs.readdirSync(path.join(root, "docs"))) {
    if (entry.endsWith(".md")) copy(path.join(root, "docs", entry), path.join(doc, "docs", entry))
  }
  copyAll(path.join(root, "docs/systemd"), path.join(doc, "examples/systemd"))
  for (const [file, text] of Object.entries(licences(machine))) write(path.join(doc, file), text)
  setTimes(target, epoch())
  // A Node of another kind of machine cannot be run here.
  if (machine.node === process.arch) {
    CodeCache.make(path.join(lib, "dist/cli"), path.join(lib, "node"))
    setTimes(target, epoch())
  }
}

/** The licences of all that is in the tree, as files under the names of what they are of. */
const licences = (machine: Machine): Readonly<Record<string, string>> => {
  const text = (file: string): string => `${fs.readFileSync(file, "utf8").trim()}\n`
  return {
    copyright: `${text(path.join(root, "LICENSE"))}
What else is in this package, with its licences in the folder licences beside this file:

lib/${name}/node          Node.js as its project publishes it, MIT and others: licences/node.txt
lib/${name}/node_modules  koffi, MIT: licences/koffi.txt
lib/${name}/dist          several packages of npm: licences/bundled.txt
`,
    "licences/node.txt": text(path.join(runtime, `node-linux-${machine.node}/LICENSE`)),
    "licences/koffi.txt": text(path.join(root, "node_modules/koffi/LICENSE.txt")),
    "licences/bundled.txt": text(path.join(root, "dist/THIRD-PARTY-NOTICES.txt")),
  }
}

/** Gives all files and folders one time: a package has it, too. */
export const setTimes = (folder: string, seconds: number): void => {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true, recursive: true })) {
    fs.lutimesSync(path.join(entry.parentPath, entry.name), seconds, seconds)
    if (entry.isDirectory()) fs.chmodSync(path.join(entry.parentPath, entry.name), 0o755)
  }
  fs.chmodSync(folder, 0o755)
  fs.utimesSync(folder, seconds, seconds)
}
