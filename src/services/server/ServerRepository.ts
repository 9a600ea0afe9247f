/**
 * The backups in a datastore of a running server: lists over its REST API, files and chunks over its reader protocol
 * (server §5, §6).
 *
 * A server that is restarted, or whose line is cut, is waited for. While a backup is read the server does not prune it.
 */
import * as Cache from "effect/Cache"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { fault } from "../../domain/datastore/DatastoreFault.ts"
import * as Namespace from "../../domain/datastore/Namespace.ts"
import * as SnapshotFile from "../../domain/datastore/SnapshotFile.ts"
import * as SnapshotId from "../../domain/datastore/SnapshotId.ts"
import type { ChunkCache } from "../bytes/ChunkCache.ts"
import type { BlobStore } from "../blobs/BlobStore.ts"
import * as ChunkStore from "../chunks/ChunkStore.ts"
import * as DatastoreRepository from "../repository/DatastoreRepository.ts"
import * as OpenSnapshot from "../repository/OpenSnapshot.ts"
import type { Repository } from "../repository/Repository.ts"
import { fromFault, type RepositoryError } from "../repository/RepositoryError.ts"
import * as Api from "./Api.ts"
import * as Connection from "./Connection.ts"
import * as Login from "./Login.ts"
import * as Outage from "./Outage.ts"
import * as Rest from "./Rest.ts"
import * as Rows from "./Rows.ts"
import { ServerError, toRepository } from "./ServerError.ts"
import * as Spare from "./Spare.ts"
import * as Tunnel from "./Tunnel.ts"
import * as TunnelBlobs from "./TunnelBlobs.ts"
import * as Tunnels from "./Tunnels.ts"

/** A datastore of a server, and how it is read. */
export interface Options extends Omit<OpenSnapshot.Options, "chunks"> {
  readonly endpoint: Connection.Endpoint
  readonly identity: Login.Identity
  readonly datastore: string
  readonly cache: ChunkCache
  /** What will be asked for first: connections are made ready for it. */
  readonly first?: First | undefined
  /** What is put around the store of a backup's chunks: a cache on disk, counters. */
  readonly over?: ((store: BlobStore) => BlobStore) | undefined
  /** Copies of the datastore, for chunks and files of backups that it lacks or has damaged. */
  readonly copies?: ReadonlyArray<BlobStore> | undefined
  /** Whether digests of chunks are compared; true unless given. */
  readonly verifyChunks?: boolean | undefined
  /** Milliseconds for which a server that is gone is waited for; 120,000 unless given. */
  readonly outage?: number | undefined
  /** See `Tunnel`. */
  readonly patience?: Tunnel.Patience | undefined
}

/** A group that will be listed, and whether a backup of it will be read. */
export interface First {
  readonly group: SnapshotId.GroupId
  readonly isRead: boolean
}

/** A repository of a server, and what is known of the way there. */
export interface ServerRepository extends Repository {
  /** The ticket in use, for another process that goes on with it; `undefined` for a token. */
  readonly ticket: () => Login.Ticket | undefined
}

/** How long a list is good for several questions in a row, in milliseconds. */
const FRESH = 5000

/** Connects, logs in and makes sure that there is the datastore, which all ends with the scope. */
export const open = Effect.fnUntraced(function* (
  options: Options,
): Effect.fn.Return<ServerRepository, RepositoryError, Scope.Scope> {
  const {
    datastore,
    endpoint,
    first,
    identity,
    outage: patience = Outage.DEFAULT,
    over = (store: BlobStore) => store,
  } = options
  const connector = yield* Spare.make(Connection.make(endpoint))
  const rest = yield* Rest.make({
    connector:
      first?.isRead === true
        ? // The next will be a tunnel's.
          {
            server: connector.server,
            connect: Effect.tap(connector.connect, () => Effect.sync(() => connector.begin(1))),
          }
        : connector,
  })
  // A server that was never there is not waited for, and whoever is asked for a password is asked for the right one.
  yield* Effect.mapError(connector.prepare, toRepository)
  const login = yield* Login.make(rest, identity)
  const name = `${identity.authId}@${connector.server}:${datastore}`
  const outage = Outage.make(patience)
  const api = Api.make(rest, login, outage)
  const tunnels = yield* Tunnels.make(outage, connector.begin)
  const at = `admin/datastore/${encodeURIComponent(datastore)}`

  const list = <A>(call: string, query: Rest.Query, read: Parameters<typeof Rows.all<A>>[1]) =>
    Effect.flatMap(api.data(`${at}/${call}`, query), (data) =>
      Effect.mapError(
        Effect.fromResult(Rows.all(data, read)),
        (detail) => new ServerError({ server: `${name}/${call}`, reason: "Answer", detail: `the answer ${detail}` }),
      ),
    )
  const ns = (namespace: Namespace.Namespace) => ({
    ns: namespace.length === 0 ? undefined : Namespace.format(namespace),
  })
  const ofGroup = ({ id, namespace, type }: SnapshotId.GroupId) => ({
    "backup-type": type,
    "backup-id": id,
    ...ns(namespace),
  })
  const ofSnapshot = (id: SnapshotId.SnapshotId) => ({ ...ofGroup(id), "backup-time": SnapshotId.toEpoch(id.time) })

  const greeting = greet(api, identity, datastore)

  /** Lists that several questions in a row are about. Failures are asked for anew. */
  const fresh = <A>(lookup: (key: string) => Effect.Effect<A, ServerError>) =>
    Cache.makeWith(lookup, { capacity: 256, timeToLive: (exit) => (exit._tag === "Success" ? FRESH : 0) })
  const namespaces = yield* fresh(() => list("namespace", {}, Rows.namespace))
  const groups = yield* fresh((key) => list("groups", ns(key === "" ? [] : key.split("/")), Rows.group))
  const snapshots = yield* fresh((key) => list("snapshots", JSON.parse(key) as Rest.Query, Rows.snapshot))
  yield* Effect.mapError(
    first === undefined
      ? greeting
      : Effect.catch(Cache.get(snapshots, JSON.stringify(ofGroup(first.group))), (error) =>
          // What is missing can be told better than the server does.
          error.reason === "Permission" ? Effect.andThen(greeting, Effect.fail(error)) : Effect.fail(error),
        ),
    toRepository,
  )
  const rowsOf = (group: SnapshotId.GroupId) =>
    Effect.mapError(Cache.get(snapshots, JSON.stringify(ofGroup(group))), toRepository)
  const rowOf = (id: SnapshotId.SnapshotId) =>
    Effect.map(rowsOf(id), (rows) => rows.find(({ time }) => time === id.time))

  const groupsIn = (namespace: Namespace.Namespace) =>
    Effect.catch(Cache.get(groups, Namespace.format(namespace)), (error) =>
      // Who has rights on namespaces below may see those, and nothing here (server §5).
      error.reason === "Permission"
        ? Effect.flatMap(Cache.get(namespaces, ""), (visible) =>
            visible.some((other) => isBelow(other, namespace)) ? Effect.succeed([]) : Effect.fail(error),
          )
        : Effect.fail(error),
    )

  const tunnelsTo = (id: SnapshotId.SnapshotId): Tunnels.BackupTunnels =>
    tunnels.to(
      `${name}/${SnapshotId.format(id)}`,
      api.authorized((headers) =>
        Tunnel.open(connector, { ...ofSnapshot(id), store: datastore }, headers, options.patience),
      ),
    )

  const scope = yield* Effect.scope
  const isFirst = ({ id, namespace, type }: SnapshotId.SnapshotId): boolean =>
    first?.isRead === true &&
    id === first.group.id &&
    type === first.group.type &&
    Namespace.format(namespace) === Namespace.format(first.group.namespace)

  return {
    name,
    ticket: login.ticket,
    namespaces: (parent) =>
      Effect.map(Effect.mapError(Cache.get(namespaces, ""), toRepository), (visible) => childrenOf(visible, parent)),
    groups: (namespace) =>
      Effect.map(Effect.mapError(groupsIn(namespace), toRepository), (rows) =>
        rows.map(({ id, type }) => ({ namespace, type, id })).toSorted(byTypeAndId),
      ),
    group: Effect.fnUntraced(function* (group) {
      const rows = yield* Effect.mapError(groupsIn(group.namespace), toRepository)
      const row = rows.find(({ id, type }) => id === group.id && type === group.type)
      // The list has their first line only.
      const notes =
        row?.comment === undefined
          ? undefined
          : yield* Effect.mapError(api.data(`${at}/group-notes`, ofGroup(group)), toRepository)
      return { owner: row?.owner, notes: typeof notes === "string" ? notes : undefined }
    }),
    snapshots: (group) =>
      Effect.map(rowsOf(group), (rows) => rows.map(({ time }) => ({ ...group, time })).toSorted(SnapshotId.compare)),
    isFinished: Effect.fnUntraced(function* (id) {
      const row = yield* rowOf(id)
      if (row === undefined || row.files.includes(SnapshotFile.MANIFEST)) return row !== undefined
      const others = yield* Effect.forEach(options.copies ?? [], (copy) => DatastoreRepository.filesOfCopy(copy, id))
      return others.some(({ names }) => names.includes(SnapshotFile.MANIFEST))
    }),
    snapshot: Effect.fnUntraced(function* (id) {
      const row = yield* rowOf(id)
      const path = `${name}/${SnapshotId.format(id)}`
      if (row === undefined) {
        return yield* fromFault(path, fault("ArchiveNotFound", "there is no such backup, or it has just been pruned"))
      }
      const through = tunnelsTo(id)
      if (isFirst(id)) yield* Effect.forkIn(through.ready, scope)
      const chunks = ChunkStore.make({
        stores: [over(TunnelBlobs.make(name, through)), ...(options.copies ?? [])],
        cache: options.cache,
        verify: options.verifyChunks,
        onHealed: options.onHealed,
      })
      const read = (file: string, limit: number): Effect.Effect<Uint8Array, ServerError> =>
        file.endsWith(".blob")
          ? Effect.catch(
              api.bytes(`${at}/download`, { ...ofSnapshot(id), "file-name": file }, limit),
              // Where this call is not what it should be, the reader protocol has it all the same.
              (error) => (error.reason === "Refused" ? through.download(file, limit) : Effect.fail(error)),
            )
          : through.download(file, limit)
      return yield* OpenSnapshot.open(
        id,
        {
          name: path,
          names: row.isProtected ? [...row.files, ".protected"] : row.files,
          read: (file, limit) => Effect.mapError(read(file, limit), toRepository),
        },
        { ...options, chunks },
        yield* Effect.forEach(options.copies ?? [], (copy) => DatastoreRepository.filesOfCopy(copy, id)),
      )
    }),
  }
})

/** Says early, and clearly, what would keep everything else from working. */
const greet = Effect.fnUntraced(function* (
  api: Api.Api,
  { authId }: Login.Identity,
  datastore: string,
): Effect.fn.Return<void, ServerError> {
  const stores = yield* api.data("admin/datastore")
  const names = Array.isArray(stores) ? stores.map((row: { readonly store?: unknown }) => row?.store) : []
  if (names.includes(datastore)) return
  const others = names.filter((name) => typeof name === "string")
  const detail =
    others.length > 0
      ? `there is no datastore ${datastore} that ${authId} may read; there is ${others.join(", ")}`
      : authId.includes("!")
        ? `${authId} may read no datastore: a token has rights of its own, beside those of its user; give it the role DatastoreReader (proxmox-backup-manager acl update /datastore/${datastore} DatastoreReader --auth-id '${authId}')`
        : `${authId} may read no datastore: give it the role DatastoreReader on /datastore/${datastore}`
  return yield* new ServerError({ server: api.server, reason: "Permission", detail })
})

const isBelow = (namespace: Namespace.Namespace, parent: Namespace.Namespace): boolean =>
  namespace.length > parent.length && parent.every((name, level) => namespace[level] === name)

/** The namespaces directly in another, also where only those further below may be seen. */
const childrenOf = (
  visible: ReadonlyArray<Namespace.Namespace>,
  parent: Namespace.Namespace,
): ReadonlyArray<Namespace.Namespace> =>
  [...new Set(visible.flatMap((namespace) => (isBelow(namespace, parent) ? [namespace[parent.length] as string] : [])))]
    .toSorted()
    .map((name) => parent.concat(name))

const byTypeAndId = (a: SnapshotId.GroupId, b: SnapshotId.GroupId): number =>
  SnapshotId.TYPES.indexOf(a.type) - SnapshotId.TYPES.indexOf(b.type) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
