/**
 * `snapshots`: which backups there are, as a table, as a tree and for programs.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as Datastores from "../../support/Datastores.ts"
import * as Processes from "../../support/Processes.ts"
import { encrypted, lines, output, plain, refusal, run } from "./stores.ts"

const pathOf = ({ ns, snapshot }: { readonly ns: string; readonly snapshot: string }) =>
  [...(ns === "" ? [] : ns.split("/").map((name) => `ns/${name}`)), snapshot].join("/")

/** Paths of the backups that are listed. */
const listed = (...args: ReadonlyArray<string>) =>
  Effect.map(output(["snapshots", ...args]), (text) => lines(text).map((line) => line.split(" ")[0]))

describe("snapshots", () => {
  it.live("names every backup of every namespace, and says of each what is known", () =>
    Effect.gen(function* () {
      const found = lines(yield* output(["snapshots", "--json", plain])).map((line) => JSON.parse(line))
      const expected = Datastores.expected.stores["datastore-plain"].snapshots
      assert.sameMembers(
        found.map(({ snapshot }) => snapshot),
        expected.map(pathOf),
      )
      for (const snapshot of expected) {
        const line = found.find((other) => other.snapshot === pathOf(snapshot))
        assert.strictEqual(line.state, snapshot.state)
        assert.strictEqual(line.namespace, snapshot.ns)
        if (snapshot.state === "unfinished") continue
        assert.strictEqual(line.protected, snapshot.protected ?? false)
        assert.strictEqual(line.notes, snapshot.notes)
        const [type, id] = snapshot.snapshot.split("/")
        const groups = Datastores.expected.stores["datastore-plain"].groups
        const group = groups.find((other) => other.ns === snapshot.ns && other.group === `${type}/${id}`)
        assert.strictEqual(line.owner, group?.owner)
      }
    }),
  )

  it.live("tells which key a backup is encrypted with", () =>
    Effect.gen(function* () {
      const found = lines((yield* run(["snapshots", "--json", encrypted])).stdout).map((line) => JSON.parse(line))
      for (const { key_fingerprint, ns, snapshot, state } of Datastores.expected.stores["datastore-encrypted"]
        .snapshots) {
        const line = found.find((other) => other.snapshot === pathOf({ ns, snapshot }))
        if (state === "finished" && line.state === "finished" && key_fingerprint !== undefined)
          assert.strictEqual(line.key_fingerprint, key_fingerprint)
      }
      const table = (yield* run(["snapshots", encrypted])).stdout
      assert.match(table, /^host\/alpha\/2024-02-01T03:00:00Z .*encrypted, key 3d:cc:e0:eb:00:4f:5f:e7/m)
      assert.match(table, /^host\/keys\/2024-06-02T00:00:00Z .*encrypted, key 7e:84:a9:03:8d:61:08:2e/m)
    }),
  )

  it.live("shows groups with their archives as a tree", () =>
    Effect.gen(function* () {
      const tree = lines(yield* output(["snapshots", "--format", "tree", `${plain}::host/alpha/2024-04`]))
      assert.match(tree[0] ?? "", /^host\/alpha/)
      assert.match(tree[1] ?? "", /^ {2}2024-04-01T03:00:00Z/)
      assert.deepStrictEqual(
        tree.slice(2).map((line) => line.trim().split(" ")[0]),
        ["root.pxar", "data.pxar", "system.conf", "empty.conf"],
      )
    }),
  )

  it.live("takes filters: the first names of a reference, and * within a name", () =>
    Effect.gen(function* () {
      const beta = ["host/beta/2024-01-15T12:30:45Z", "host/beta/2024-01-16T12:30:45Z"]
      assert.deepStrictEqual(yield* listed(plain, "host/b*"), beta)
      assert.deepStrictEqual(yield* listed(plain, "host/beta/2024-01-15"), beta.slice(0, 1))
      assert.deepStrictEqual(yield* listed(plain, "host/beta/*-01-16", "host/beta/2024-01-15"), beta)
      assert.deepStrictEqual(yield* listed(plain, "host/alpha/latest"), ["host/alpha/2024-04-01T03:00:00Z"])
      assert.include(yield* refusal(["snapshots", plain, "host/bet"], ExitCode.USAGE), "host/bet: no such backup")
      assert.include(yield* refusal(["snapshots", plain, "host/gamma"], ExitCode.USAGE), "host/gamma: no such backup")
    }),
  )

  it.live("latest is the newest finished backup of that group alone", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* listed(`${plain}::host/alpha/latest`), ["host/alpha/2024-04-01T03:00:00Z"])
      assert.deepStrictEqual(yield* listed(`${plain}::ns/a/ns/b/host/alpha`), [
        "ns/a/ns/b/host/alpha/2024-01-06T00:00:00Z",
      ])
    }),
  )

  it.live("a namespace holds those within it, a type is of one namespace", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* listed(`${plain}::ns/a`)).length, 5)
      assert.strictEqual((yield* listed(`${plain}::ns/a/ct`)).length, 2)
      assert.strictEqual((yield* listed("--namespace", "a/b", plain)).length, 3)
      assert.deepStrictEqual(yield* listed(`${plain}::ns/empty`), [])
    }),
  )

  it.live("a backup, group, type or namespace that is not there is said", () =>
    Effect.gen(function* () {
      for (const [reference, said] of [
        ["host/gamma", "host/gamma: there is no backup of this group"],
        ["host/alpha/2023", "there is no backup of 2023; there is 2024-05-01T03:00:00Z"],
        ["ns/none", "ns/none: there is no such namespace"],
        ["vm", "vm: there is no backup of this type"],
      ] as const) {
        const stderr = yield* refusal(["snapshots", `${plain}::${reference}`], ExitCode.NO_ENTRY)
        assert.include(stderr, said)
        assert.include(yield* refusal(["keys", `${plain}::${reference}`], ExitCode.NO_ENTRY), said)
      }
    }),
  )

  it.live("says where the datastore is if the folder is the one above, and whether there is a folder at all", () =>
    Effect.gen(function* () {
      const disk = yield* Processes.temporaryFolder
      const store = path.join(disk, "store")
      fs.symlinkSync(plain, store)
      for (const command of ["snapshots", "keys", "stats"]) {
        const said = `${disk}: is no datastore: it has no folder .chunks; ${store} has one`
        assert.include(yield* refusal([command, disk], ExitCode.USAGE), said)
        const gone = path.join(disk, "stroe")
        assert.include(yield* refusal([command, gone], ExitCode.USAGE), `${gone}: there is no such folder`)
        const web = yield* refusal([command, "https://127.0.0.1:1/store"], ExitCode.USAGE)
        assert.include(web, "the address of a datastore on the web ends with a slash")
      }
      const mounted = yield* refusal(["mount", disk, "/mnt"], ExitCode.NO_ARCHIVE)
      assert.include(mounted, `${disk}: no archive in this folder, but ${store} is a datastore`)
    }),
  )
})
