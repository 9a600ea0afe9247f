/**
 * What `pxar-fuse serve` does (see `ServeCommand`).
 *
 * The link that it prints has the token, which is good for as long as the process is there. It goes to stdout, so that
 * logs of messages do not have it.
 */
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Scope from "effect/Scope"
import * as OpenTree from "../../services/open/OpenTree.ts"
import * as Archive from "../../services/tree/Archive.ts"
import * as SubfolderTree from "../../services/tree/SubfolderTree.ts"
import * as HostNames from "../../web/HostNames.ts"
import * as Served from "../../web/Served.ts"
import * as WebKeys from "../../web/WebKeys.ts"
import * as WebServer from "../../web/WebServer.ts"
import * as ExitCode from "../ExitCode.ts"
import * as OpenIndex from "../history/OpenIndex.ts"
import * as OpenAddress from "../OpenAddress.ts"
import * as Output from "../Output.ts"
import * as Keys from "../repository/Keys.ts"
import * as Passphrase from "../repository/Passphrase.ts"
import type * as RepositoryFlags from "../repository/RepositoryFlags.ts"
import * as Listen from "./Listen.ts"
import * as Terminal from "../Terminal.ts"
import * as Version from "../Version.ts"

export interface Input extends RepositoryFlags.Given {
  readonly addresses: ReadonlyArray<string>
  /** Addresses of datastores that are given out. */
  readonly chunks: ReadonlyArray<string>
  /** `HOST:PORT`, `[IPv6]:PORT` or a port alone. */
  readonly listen: string
  readonly open: boolean
  readonly allowRestore: string | undefined
  readonly webPasswordFile: string | undefined
  readonly tlsCert: string | undefined
  readonly tlsKey: string | undefined
  readonly payload: string | undefined
}

export const handler = Effect.fn("serve")(function* (input: Input) {
  const { addresses, allowRestore, tlsCert, tlsKey, webPasswordFile } = input
  if (addresses.length + input.chunks.length === 0) return yield* usage("name what to serve, or give --chunks ADDRESS")
  const listen = yield* Listen.parse("--listen", input.listen)
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    return yield* usage("--tls-cert and --tls-key go together")
  }
  if (!HostNames.isLoopback(listen.host) && (tlsCert === undefined || webPasswordFile === undefined)) {
    return yield* usage(
      `--listen ${input.listen}: other machines could read all backups; that needs --tls-cert, --tls-key and --web-password-file`,
    )
  }
  const restore = allowRestore === undefined ? undefined : yield* folderOf(allowRestore)
  const password = webPasswordFile === undefined ? undefined : yield* passwordOf(webPasswordFile)
  const tls =
    tlsCert === undefined || tlsKey === undefined
      ? undefined
      : { cert: yield* read("--tls-cert", tlsCert), key: yield* read("--tls-key", tlsKey) }
  const told = Passphrase.isGiven(input) ? Passphrase.find(input) : undefined
  const keys = yield* WebKeys.make(yield* Keys.files(input), told)
  const ids = Served.idsOf(addresses)
  const served = yield* Effect.forEach(addresses, (address, index) =>
    open(address, ids[index] as string, { ...input, chunks: [], keyRing: keys.ring }),
  )
  const sources = yield* Effect.forEach(input.chunks, (address, index) =>
    Effect.map(OpenAddress.store(address, input), (store) => ({
      id: input.chunks.length === 1 ? "" : (Served.idsOf(input.chunks)[index] as string),
      store,
    })),
  )
  const ChunkRoutes = yield* Effect.promise(() => import("../../web/chunks/ChunkRoutes.ts"))
  const routes = () => ChunkRoutes.layer(sources)
  const about = { version: Version.version, served, keys, restore, tls, password }
  const server = yield* WebServer.start({ ...listen, ...about, ...(sources.length > 0 && { routes }) })
  const output = Output.make()
  yield* output.text(`${Redacted.value(server.link)}\n`)
  yield* output.flush
  yield* Terminal.note(`serving ${[...addresses, ...input.chunks].join(", ")} on ${server.url}; Ctrl-C ends it`)
  if (input.open) yield* openBrowser(server.link)
  // From here on that is how it is meant to end.
  yield* Effect.flatMap(ExitCode.OnInterrupt, (code) => Ref.set(code, ExitCode.SUCCESS))
  return yield* Effect.never
}, Effect.scoped)

const usage = (detail: string) => new ExitCode.Usage({ detail })

/** What an address names, as it is served. */
const open = Effect.fnUntraced(function* (
  address: string,
  id: string,
  options: OpenAddress.Options,
): Effect.fn.Return<Served.Served | Served.Locked, OpenAddress.Failure, Scope.Scope> {
  const opened = yield* OpenAddress.open(address, options)
  const archive = Effect.flatMap(
    OpenTree.tree(opened, { ...options, owner: OpenAddress.thisUser(), onLost: OpenAddress.onLost(options) }),
    rootOf,
  )
  const found = opened._tag === "InRepository" ? opened : undefined
  const scope = yield* Effect.scope
  const isTree = found !== undefined && found.reference.archive === undefined
  const reopen = found && Scope.provide(archive, scope)
  const backups = isTree
    ? { repository: found.repository, root: found.reference, index: yield* OpenIndex.whenAsked(options, found) }
    : undefined
  const first = yield* Effect.result(archive)
  if (first._tag === "Success") return { id, address, archive: first.success, reopen, backups }
  const reason = first.failure
  if (reopen === undefined || reason.id !== "PXF-REPOSITORY-KEY-REQUIRED") return yield* reason
  yield* Terminal.say(`${reason.message}; the page asks for it`, "Warn")
  return { id, address, archive: undefined, reason, reopen, backups }
})

/** Of a file its folder is served. */
const rootOf = Effect.fnUntraced(function* ({ file, tree }: OpenTree.Tree) {
  const whole = Archive.fromReader(tree)
  const above = file?.subarray(0, Math.max(0, file.lastIndexOf(0x2f)))
  return above === undefined || above.length === 0
    ? whole
    : Archive.fromReader(SubfolderTree.make(tree, (yield* whole.find(above)).node))
})

const folderOf = (folder: string): Effect.Effect<string, ExitCode.Usage> =>
  Effect.suspend(() =>
    fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true
      ? Effect.succeed(fs.realpathSync(path.resolve(folder)))
      : Effect.fail(usage(`--allow-restore ${folder}: no such folder`)),
  )

const passwordOf = (file: string): Effect.Effect<Redacted.Redacted<string>, ExitCode.Usage> =>
  Effect.flatMap(read("--web-password-file", file), (text) => {
    const line = text.split(/\r?\n/, 1)[0] as string
    return line.length < MIN_PASSWORD
      ? Effect.fail(usage(`--web-password-file ${file}: a password has at least ${MIN_PASSWORD} characters`))
      : Effect.succeed(Redacted.make(line))
  })

const MIN_PASSWORD = 8

const read = (flag: string, file: string): Effect.Effect<string, ExitCode.Usage> =>
  Effect.try({
    try: () => fs.readFileSync(file, "utf8"),
    catch: (error) => usage(`${flag} ${file}: cannot be read: ${(error as NodeJS.ErrnoException).code ?? "failed"}`),
  })

/**
 * The desktop opens the page. Arguments of programs can be seen by others on this machine, so it is given a file of
 * ours that leads there.
 */
const openBrowser = Effect.fnUntraced(function* (link: Redacted.Redacted<string>) {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => fs.mkdtempSync(path.join(process.env["XDG_RUNTIME_DIR"] ?? "/tmp", "pxar-fuse-open-"))),
    (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true })),
  )
  const file = path.join(folder, "open.html")
  const page = `<!doctype html><meta http-equiv="refresh" content="0;url=${Redacted.value(link)}">\n`
  fs.writeFileSync(file, page, { mode: 0o600 })
  const opened = yield* Effect.callback<boolean>((resume) => {
    const program = spawn("xdg-open", [file], { stdio: "ignore", detached: true })
    program.once("error", () => resume(Effect.succeed(false)))
    program.once("spawn", () => resume(Effect.succeed(true)))
    program.unref()
  })
  if (!opened) yield* Terminal.say("the browser could not be opened: there is no xdg-open", "Warn")
})
