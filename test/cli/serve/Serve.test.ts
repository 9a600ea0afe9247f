/** `pxar-fuse serve` as a process: what it prints, refuses, and how it ends. */
import * as fs from "node:fs"
import * as http from "node:http"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Command from "../../support/Command.ts"
import * as Processes from "../../support/Processes.ts"
import { golden, send } from "../../web/harness.ts"

const serve = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
  const process = yield* Command.start(["serve", ...args])
  const link = yield* Processes.eventually(
    "the link",
    Effect.sync(() => process.stdout().toString()),
    (text) => text.includes("\n"),
  )
  const [url = "", token = ""] = link.trim().split("#token=")
  return { process, url, token, port: Number(new URL(url).port) }
})

const refused = (...args: ReadonlyArray<string>) =>
  Effect.map(Command.run(["serve", ...args]), ({ code, stderr }) => ({ code, stderr }))

describe("serve", () => {
  it.live("prints the link, and nothing of the token elsewhere; a signal ends it with 0", () =>
    Effect.gen(function* () {
      const { port, process, token, url } = yield* serve("--listen", "127.0.0.1:0", golden("tree-v1.pxar"))
      assert.match(token, /^[\w-]{43}$/)
      yield* Processes.eventually(
        "the message",
        Effect.sync(() => process.stderr()),
        (text) => text.includes(url),
      )
      assert.notInclude(process.stderr(), token)
      const headers = { authorization: `Bearer ${token}` }
      const { json } = yield* send(port, "/api/v1/server", { headers })
      assert.strictEqual(json.repositories[0].id, "tree-v1.pxar")
      yield* process.kill("SIGTERM")
      assert.strictEqual((yield* process.ended).code, 0)
    }),
  )

  it.live("ends at once while a client reads", () =>
    Effect.gen(function* () {
      const { port, process, token } = yield* serve("--listen", "[::1]:0", golden("tree-v1.pxar"))
      yield* Effect.callback<void>((resume) => {
        const headers = { authorization: `Bearer ${token}`, host: `[::1]:${port}` }
        const path = "/api/v1/repositories/tree-v1.pxar/tar?path=/"
        const request = http.get({ host: "::1", port, path, headers }, (response) => {
          response.on("error", () => {})
          response.once("readable", () => resume(Effect.void))
        })
        request.on("error", () => {})
      })
      yield* process.kill("SIGINT")
      assert.strictEqual((yield* process.ended).code, 0)
    }),
  )

  it.live("takes a password from a file, in place of a token", () =>
    Effect.gen(function* () {
      const file = yield* Command.write("password", "correct horse\nsecond line\n", 0o600)
      const { port, token } = yield* serve(
        "--listen",
        "127.0.0.1:0",
        "--web-password-file",
        file,
        golden("tree-v1.pxar"),
      )
      assert.strictEqual(token, "")
      const basic = Buffer.from("me:correct horse").toString("base64")
      const { status } = yield* send(port, "/api/v1/server", { headers: { authorization: `Basic ${basic}` } })
      assert.strictEqual(status, 200)
    }),
  )

  it.live("gives each address a name of its own, and serves what is in datastores by reference", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      fs.copyFileSync(golden("tree-v1.pxar"), path.join(folder, "tree-v1.pxar"))
      const { port, token } = yield* serve(
        "--listen",
        "127.0.0.1:0",
        golden("tree-v1.pxar"),
        path.join(folder, "tree-v1.pxar"),
      )
      const { json } = yield* send(port, "/api/v1/server", { headers: { authorization: `Bearer ${token}` } })
      assert.deepStrictEqual(
        json.repositories.map(({ id }: { id: string }) => id),
        ["tree-v1.pxar", "tree-v1.pxar-2"],
      )
    }),
  )

  it.live("refuses other addresses than loopback without TLS and a password", () =>
    Effect.gen(function* () {
      for (const listen of ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "backup.example:0"]) {
        const { code, stderr } = yield* refused("--listen", listen, golden("tree-v1.pxar"))
        assert.strictEqual(code, 2, listen)
        assert.match(stderr, /--tls-cert, --tls-key and --web-password-file/)
      }
    }),
  )

  it.live("refuses what cannot be meant, and says what to do", () =>
    Effect.gen(function* () {
      const archive = golden("tree-v1.pxar")
      const { port } = yield* serve("--listen", "127.0.0.1:0", archive)
      const short = yield* Command.write("password", "short\n")
      for (const [args, said] of [
        [["--listen", `127.0.0.1:${port}`, archive], /port is in use.*PXF-WEB-PORT-IN-USE/],
        [["--listen", "nonsense", archive], /HOST:PORT is needed/],
        [["--listen", "127.0.0.1:99999", archive], /HOST:PORT is needed/],
        [["--allow-restore", "/no/such", archive], /no such folder/],
        [["--web-password-file", short, archive], /at least 8 characters/],
        [["--tls-cert", short, archive], /go together/],
        [["--listen", "127.0.0.1:0", "--tls-cert", short, "--tls-key", short, archive], /PXF-WEB-CERTIFICATE/],
      ] as const) {
        const { code, stderr } = yield* refused(...args)
        assert.strictEqual(code, 2, stderr)
        assert.match(stderr, said)
      }
      assert.strictEqual((yield* refused("/no/such.pxar")).code, 3)
    }),
  )
})
