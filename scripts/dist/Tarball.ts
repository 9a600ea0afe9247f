/**
 * `pxar-fuse-VERSION-linux-ARCH.tar.xz`: the tree in one folder, to be unpacked anywhere by anybody.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { epoch, level, type Machine, name, run, version } from "./Release.ts"

/** Packs a tree (see `Staging`). Returns the file. */
export const make = async (stage: string, target: string, machine: Machine): Promise<string> => {
  const folder = `${name}-${version}-linux-${machine.node}`
  const parent = path.dirname(stage)
  const named = path.join(parent, folder)
  const tar = path.join(parent, `${folder}.tar`)
  fs.renameSync(stage, named)
  await run("tar", [
    ...["--create", "--file", tar, "--directory", parent, "--format=gnu"],
    ...["--sort=name", `--mtime=@${epoch()}`, "--owner=0", "--group=0", "--numeric-owner", folder],
  ])
  fs.renameSync(named, stage)
  const file = path.join(target, `${folder}.tar.xz`)
  await run("xz", [`-${level}`, "--threads=1", "--force", tar])
  fs.copyFileSync(`${tar}.xz`, file)
  return file
}
