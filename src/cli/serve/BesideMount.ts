/**
 * The page and WebDAV beside a mount (`mount --serve`): the same process serves the same tree, with the same caches. Of a
 * whole datastore it gives out the files, too, below `/chunks/`.
 *
 * Whoever types the command makes the token, so that the link reaches a terminal also when the mount goes on in the
 * background. It listens on loopback only; nothing can be restored, and no key be given later.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type * as Reference from "../../domain/datastore/Reference.ts"
import type { ArchiveTree } from "../../services/archive/ArchiveTree.ts"
import type * as KeyRing from "../../services/keys/KeyRing.ts"
import type { Opened } from "../../services/open/OpenRepository.ts"
import * as Archive from "../../services/tree/Archive.ts"
import * as Access from "../../web/Access.ts"
import * as ChunkRoutes from "../../web/chunks/ChunkRoutes.ts"
import * as HostNames from "../../web/HostNames.ts"
import * as Served from "../../web/Served.ts"
import * as WebKeys from "../../web/WebKeys.ts"
import * as WebServer from "../../web/WebServer.ts"
import * as ExitCode from "../ExitCode.ts"
import * as OpenIndex from "../history/OpenIndex.ts"
import type { Settings } from "../mount/Settings.ts"
import * as Version from "../Version.ts"
import * as Listen from "./Listen.ts"

type Beside = NonNullable<Settings["serve"]>

/** What `--serve` asks for; refused where it cannot be. */
export const plan = Effect.fnUntraced(function* (
  text: string,
  settings: Pick<Settings, "archives" | "layout" | "subdir">,
  foreground: boolean,
): Effect.fn.Return<Beside, ExitCode.Usage> {
  const listen = yield* Listen.parse("--serve", text)
  const detail = !HostNames.isLoopback(listen.host)
    ? `--serve ${text}: listens on loopback only; for other machines there is pxar-fuse serve`
    : settings.archives.length > 1
      ? "--serve goes with one archive, folder or datastore"
      : settings.layout !== "backups" || settings.subdir !== undefined
        ? "--serve shows all that there is: it goes neither with --subdir nor with --layout previous-versions"
        : listen.port === 0 && !foreground
          ? "--serve needs a port, or --foreground, which tells the one that was free"
          : undefined
  if (detail !== undefined) return yield* new ExitCode.Usage({ detail })
  return { ...listen, token: Access.makeToken() }
})

/** The link to print, as long as its port is known. */
export const linkOf = ({ host, port, token }: Beside): string =>
  `http://${host.includes(":") ? `[${host}]` : host}:${port}/#token=${token}`

/**
 * Serves a tree; its link. The scope ends it. `named`: whether backups in it have their own names, which the page goes by.
 */
export const start = Effect.fnUntraced(function* (
  { cacheDir, host, port, token }: Beside & Pick<Settings, "cacheDir">,
  address: string,
  found: Opened,
  tree: ArchiveTree,
  named: boolean,
): Effect.fn.Return<string, WebServer.ListenError | KeyRing.KeyError, Scope.Scope> {
  const hasBackups = named && found._tag === "InRepository" && found.reference.archive === undefined
  const served: Served.Served = {
    id: Served.idsOf([address])[0] as string,
    address,
    archive: Archive.fromReader(tree),
    backups: hasBackups
      ? { repository: found.repository, root: found.reference, index: yield* OpenIndex.whenAsked({ cacheDir }, found) }
      : undefined,
  }
  // Of a part of a datastore nothing is given out: chunks and indexes are those of all.
  const files = hasBackups && isWhole(found.reference) ? found.files : undefined
  const server = yield* WebServer.start({
    host,
    port,
    version: Version.version,
    served: [served],
    keys: yield* WebKeys.make([], undefined),
    restore: undefined,
    tls: undefined,
    password: undefined,
    token: Redacted.make(token),
    ...(files !== undefined && { routes: () => ChunkRoutes.layer([{ id: "", store: files }]) }),
  })
  return Redacted.value(server.link)
})

const isWhole = ({ namespace, type }: Reference.Reference): boolean => namespace.length === 0 && type === undefined
