/**
 * The packages of a release, installed where there is neither Node nor npm: `npm run test:dist`. `PXAR_FUSE_DIST_SMOKE=1` leaves
 * out what takes minutes.
 */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { machines, name, version } from "../../scripts/dist/Release.ts"
import * as Staging from "../../scripts/dist/Staging.ts"
import * as Datastores from "../support/Datastores.ts"
import * as BareDebian from "./BareDebian.ts"

const root = path.join(import.meta.dirname, "../..")
const release = path.join(root, "release")
const isSmoke = process.env["PXAR_FUSE_DIST_SMOKE"] !== undefined
const tarball = (machine: string) => path.join(release, `${name}-${version}-linux-${machine}.tar.xz`)
const deb = path.join(release, `${name}_${version}_amd64.deb`)

/** Runs a program of this machine; fails unless it ends with 0. */
const run = (command: string, args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = {}): string => {
  const { error, status, stderr, stdout } = spawnSync(command, args, {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, ...env },
    timeout: 600_000,
  })
  if (error !== undefined) throw error
  assert.strictEqual(status, 0, `${command} ${args.join(" ")}\n${stdout}${stderr}`)
  return stdout
}

/** What a user does first: looks, mounts, copies, restores, ends it. `run` is the command. */
const walk = (run: string): string => `
  rm -rf /tmp/walk
  ${run} list -l --numeric-ids /data/tree-v1.pxar names | head -3
  mkdir -p /tmp/walk/mnt
  ${run} mount /data/tree-v1.pxar /tmp/walk/mnt
  cp -r /tmp/walk/mnt/names /tmp/walk/copied
  ${run} status
  ${run} unmount /tmp/walk/mnt
  ${run} extract /data/tree-v1.pxar /tmp/walk/restored names
  diff -r /tmp/walk/copied /tmp/walk/restored/names
  ${run} snapshots /data/store | head -3
  ${run} mount /data/store /tmp/walk/mnt
  diff -r /tmp/walk/copied /tmp/walk/mnt/host/alpha/latest/root.pxar/names
  ${run} unmount /tmp/walk/mnt
  ${run} extract /data/store::host/alpha/latest/root.pxar /tmp/walk/from-store names
  diff -r /tmp/walk/copied /tmp/walk/from-store/names
  rm -r /tmp/walk
`

describe("the packages of a release", () => {
  const kinds = isSmoke ? ["x64", "tarball", "deb"] : []
  let debian: BareDebian.BareDebian
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pxar-fuse-packages-"))

  beforeAll(() => {
    run("npm", ["run", "--silent", "dist", "--", ...kinds], isSmoke ? { PXAR_FUSE_DIST_LEVEL: "1" } : {})
    debian = BareDebian.make()
    const data = path.join(debian.root, "data")
    fs.mkdirSync(data)
    fs.copyFileSync(path.join(root, "fixtures/golden/tree-v1.pxar"), path.join(data, "tree-v1.pxar"))
    fs.cpSync(Datastores.store("datastore-plain"), path.join(data, "store"), { recursive: true })
    fs.copyFileSync(deb, path.join(data, "package.deb"))
    run("tar", ["-x", "-C", data, "-f", tarball("x64")])
  }, 900_000)

  afterAll(() => {
    debian?.remove()
    fs.rmSync(folder, { recursive: true, force: true })
  })

  it("Debian: the tarball works for an ordinary user without any Node", { timeout: 300_000 }, () => {
    assert.throws(() => debian.run("node --version"))
    const command = `/data/${name}-${version}-linux-x64/bin/${name}`
    debian.run("apt-get update -qq && apt-get install -y -qq --no-install-recommends fuse3 >/dev/null")
    debian.run(walk(command), { user: "65534" })
  })

  it("Debian: the .deb is installed by apt, works, and goes without leftovers", { timeout: 300_000 }, () => {
    const files =
      "find / -xdev -not -path '/proc/*' -not -path '/var/lib/dpkg/*' -not -path '/var/lib/apt/*' -not -path '/var/cache/*' -not -path '/var/log/*' | sort"
    debian.run("apt-get update -qq && apt-get install -y -qq --no-install-recommends fuse3 >/dev/null")
    const before = debian.run(files)
    debian.run("apt-get install -y -qq --no-install-recommends /data/package.deb >/dev/null")
    assert.strictEqual(debian.run(`command -v ${name}`), `/usr/bin/${name}\n`)
    debian.run(walk(name))
    debian.run(
      `mkdir /tmp/fstab; mount -t fuse.${name} -o ro /data/tree-v1.pxar /tmp/fstab; ls /tmp/fstab; umount /tmp/fstab; rmdir /tmp/fstab`,
    )
    debian.run(`apt-get purge -y -qq ${name} >/dev/null`)
    assert.strictEqual(debian.run(files), before)
  })

  it("lintian finds no error in the .deb", { timeout: 300_000 }, () => {
    run("lintian", ["--fail-on", "error", "--tag-display-limit", "0", "--allow-root", deb])
  })

  describe.skipIf(isSmoke)("of both kinds of machine", () => {
    it("fit: a tarball has at most 35 MB", () => {
      for (const { node } of machines) assert.isBelow(fs.statSync(tarball(node)).size, 35e6)
    })

    it("are the same when they are made again", { timeout: 600_000 }, () => {
      const made = (again: string): string => {
        const stage = path.join(folder, again)
        run("npm", ["run", "--silent", "build"])
        Staging.make(stage, machines[0]!)
        const tree = run("sh", [
          "-c",
          `cd '${stage}' && find . -type f -printf '%p %m %s %T@\\n' -exec sha256sum {} + | sort`,
        ])
        fs.rmSync(stage, { recursive: true })
        return tree
      }
      assert.strictEqual(made("again"), made("once more"))
    })

    it("work on arm64, as far as an emulator shows", { timeout: 300_000 }, () => {
      run("tar", ["-x", "-C", folder, "-f", tarball("arm64")])
      const lib = path.join(folder, `${name}-${version}-linux-arm64/lib/${name}`)
      const command = (...args: ReadonlyArray<string>) =>
        run("qemu-aarch64-static", [
          "-L",
          "/usr/aarch64-linux-gnu",
          path.join(lib, "node"),
          path.join(lib, "dist/cli/main.js"),
          ...args,
        ])
      const archive = path.join(root, "fixtures/golden/tree-v1.pxar")
      assert.include(command("--help"), "pxar-fuse")
      assert.include(command("list", archive), "/names")
      command("extract", archive, path.join(folder, "restored"), "names")
      assert.isTrue(fs.existsSync(path.join(folder, "restored/names")))
    })
  })
})
