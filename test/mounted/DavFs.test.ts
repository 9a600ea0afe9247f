/** A golden archive served over WebDAV and mounted by davfs2: the same tree as by any other way. */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Command from "../support/Command.ts"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"

beforeEach(need({ mount: true, root: true, tools: ["mount.davfs", "umount"] }))

const archive = path.join(import.meta.dirname, "../../fixtures/golden/tree-v1.pxar")

/** Sums of files, by a process of its own. */
const sums = (folder: string, files: ReadonlyArray<string>) =>
  Effect.map(Processes.run("sha256sum", files, { cwd: folder }), ({ stdout }) => stdout.toString())

describe("davfs2", () => {
  it.live(
    "mounts what is served, and reads every file as it is",
    () =>
      Effect.gen(function* () {
        const folder = yield* Processes.temporaryFolder
        const served = yield* Command.start(["serve", "--listen", "127.0.0.1:0", archive])
        const link = yield* Processes.eventually(
          "the link",
          Effect.sync(() => served.stdout().toString()),
          (text) => text.includes("\n"),
        )
        const [url = "", token = ""] = link.trim().split("#token=")
        const address = `${url}dav/tree-v1.pxar/`
        const [mountPoint, cache, secrets, conf, out] = ["mnt", "cache", "secrets", "conf", "out"].map((name) =>
          path.join(folder, name),
        ) as [string, string, string, string, string]
        for (const made of [mountPoint, cache]) fs.mkdirSync(made)
        fs.chmodSync(folder, 0o755)
        // It runs as a user of its own.
        fs.chmodSync(cache, 0o777)
        fs.writeFileSync(secrets, `"${address}" me ${token}\n`, { mode: 0o600 })
        fs.writeFileSync(conf, `secrets ${secrets}\ncache_dir ${cache}\nuse_locks 0\nask_auth 0\n`, { mode: 0o600 })
        const mounted = yield* Processes.run("mount", ["-t", "davfs", "-o", `ro,conf=${conf}`, address, mountPoint])
        assert.strictEqual(mounted.code, 0, mounted.stderr)
        yield* Effect.addFinalizer(() => Processes.run("umount", [mountPoint]))
        yield* Command.run(["extract", archive, out, "sizes"])
        const files = fs.readdirSync(path.join(out, "sizes")).map((name) => `sizes/${name}`)
        assert.isAbove(files.length, 10)
        // By name: on kernels as new as 6.18 davfs2 lists no folder, whoever serves it.
        assert.strictEqual(yield* sums(mountPoint, files), yield* sums(out, files))
      }),
    60_000,
  )
})
