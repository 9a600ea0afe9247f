/**
 * The packages of a release, installed where there is neither Node nor npm: `npm run test:dist`. `PXAR_FUSE_DIST_SMOKE=1` leaves
 * out what takes minutes.
 */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { ANYBODYS, epoch, machines, name, version } from "../../scripts/dist/Release.ts"
import * as BareDebian from "./BareDebian.ts"
import * as Data from "./data.ts"

const root = path.join(import.meta.dirname, "../..")
const release = path.join(root, "release")
/** Of all files in the packages, however many commits are made while they are tried. */
const time = { SOURCE_DATE_EPOCH: String(epoch()) }
const isSmoke = process.env["PXAR_FUSE_DIST_SMOKE"] !== undefined
const tarball = (machine: string) => path.join(release, `${name}-${version}-linux-${machine}.tar.xz`)
const deb = path.join(release, `${name}_${version}_amd64.deb`)

/** Runs a program of this machine; fails unless it ends with 0. */
const run = (command: string, args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = {}): string => {
  const { error, status, stderr, stdout } = spawnSync(command, args, {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, ...env },
    timeout: 1_200_000,
  })
  if (error !== undefined) throw error
  assert.strictEqual(status, 0, `${command} ${args.join(" ")}\n${stdout}${stderr}`)
  return stdout
}

describe("the packages of a release", () => {
  const kinds = isSmoke ? ["x64", "tarball", "deb"] : []
  let debian: BareDebian.BareDebian
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pxar-fuse-packages-"))

  beforeAll(() => {
    run("npm", ["run", "--silent", "dist", "--", ...kinds], { ...time, ...(isSmoke && { PXAR_FUSE_DIST_LEVEL: "0" }) })
    debian = BareDebian.make()
    const data = path.join(debian.root, "data")
    Data.make(data)
    fs.copyFileSync(deb, path.join(data, "package.deb"))
    fs.copyFileSync(path.join(root, "test/dist/walk.sh"), path.join(data, "walk.sh"))
    run("tar", ["-x", "-C", data, "-f", tarball("x64")])
    // Other users mount with it, and the .deb asks for it: what was there before the .deb stays.
    debian.run("apt-get update -qq && apt-get install -y -qq --no-install-recommends fuse3 >/dev/null")
  }, 1_500_000)

  afterAll(() => {
    debian?.remove()
    fs.rmSync(folder, { recursive: true, force: true })
  })

  it("Debian: the tarball works for an ordinary user without any Node", { timeout: 300_000 }, () => {
    assert.throws(() => debian.run("node --version"))
    const command = `/data/${name}-${version}-linux-x64/bin/${name}`
    debian.run(`sh /data/walk.sh ${command} /data`, { user: "65534" })
  })

  it("Debian: the .deb is installed by apt, works, and goes without leftovers", { timeout: 300_000 }, () => {
    const files =
      "find / -xdev -not -path '/proc/*' -not -path '/var/lib/dpkg/*' -not -path '/var/lib/apt/*' -not -path '/var/cache/*' -not -path '/var/log/*' | sort"
    const before = debian.run(files)
    debian.run("apt-get install -y -qq --no-install-recommends /data/package.deb >/dev/null")
    assert.strictEqual(debian.run(`command -v ${name}`), `/usr/bin/${name}\n`)
    debian.run(`sh /data/walk.sh ${name} /data`)
    // umount does not wait for the process that served, which ends with this script, whatever it has left.
    debian.run(
      `mkdir /tmp/fstab; mount -t fuse.${name} -o ro /data/tree-v1.pxar /tmp/fstab; ls /tmp/fstab; umount /tmp/fstab; rmdir /tmp/fstab
      while [ -n "$(ls /run/${name})" ]; do sleep 0.1; done`,
    )
    debian.run(`apt-get purge -y -qq ${name} >/dev/null`)
    assert.strictEqual(debian.run(files), before)
  })

  it("lintian finds nothing to say about the .deb", { timeout: 300_000 }, () => {
    const args = ["--fail-on", "error,warning", "--tag-display-limit", "0", "--allow-root", deb]
    assert.strictEqual(run("lintian", args), "")
  })

  describe.skipIf(isSmoke)("of both kinds of machine", () => {
    it("fit: a tarball has at most 35 MB", () => {
      for (const { node } of machines) assert.isBelow(fs.statSync(tarball(node)).size, 35e6)
    })

    it("are the same when they are made again, elsewhere and at another time", { timeout: 1_800_000 }, () => {
      const other = path.join(release, "other place")
      const files = run("git", [...ANYBODYS, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]).split(
        "\0",
      )
      for (const file of files) {
        const from = path.join(root, file)
        // Of a tree that is being worked on, some may be deleted.
        if (file !== "" && fs.existsSync(from)) fs.cpSync(from, path.join(other, file), { verbatimSymlinks: true })
      }
      for (const installed of ["node_modules", "tools/api/node_modules"]) {
        run("cp", ["-al", path.join(root, installed), path.join(other, installed)])
      }
      run("sh", ["-c", 'cd "$1" && npm run --silent dist', "sh", other], {
        PXAR_FUSE_DIST_LEVEL: "0",
        ...time,
        TZ: "Pacific/Chatham",
      })
      for (const { debian, node, rpm } of machines) {
        for (const [file, unpack] of [
          [`${name}-${version}-linux-${node}.tar.xz`, 'xz -dc "$1"'],
          [`${name}_${version}_${debian}.deb`, 'dpkg-deb --fsys-tarfile "$1"; dpkg-deb --ctrl-tarfile "$1"'],
          [`${name}-${version}-1.${rpm}.rpm`, 'rpm2cpio "$1"'],
        ] as const) {
          const sum = (folder: string) => run("sh", ["-c", `{ ${unpack}; } | sha256sum`, "sh", path.join(folder, file)])
          assert.strictEqual(sum(path.join(other, "release")), sum(release), file)
        }
      }
      const bom = `${name}-${version}.cdx.json`
      assert.strictEqual(
        fs.readFileSync(path.join(other, "release", bom), "utf8"),
        fs.readFileSync(path.join(release, bom), "utf8"),
      )
      fs.rmSync(other, { recursive: true })
    })

    it("have checksums, and say which components they contain", () => {
      run("sh", ["-c", 'cd "$1" && sha256sum --strict --check SHA256SUMS', "sh", release])
      const bom: { readonly components: ReadonlyArray<{ readonly name: string }> } = JSON.parse(
        fs.readFileSync(path.join(release, `${name}-${version}.cdx.json`), "utf8"),
      )
      const names = bom.components.map(({ name }) => name)
      assert.includeMembers(names, [
        ...["effect", "preact", "undici"],
        ...machines.flatMap(({ node }) => [`node-linux-${node}`, `@koromix/koffi-linux-${node}`]),
      ])
      assert.notInclude(names, "vitest")
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
