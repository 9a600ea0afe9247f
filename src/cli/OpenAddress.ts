/**
 * Opens what a user names where an archive can be named (see `Address`), as the flags of a command say: what is opened is
 * in `services/open`.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Namespace from "../domain/datastore/Namespace.ts"
import type * as Reference from "../domain/datastore/Reference.ts"
import * as PathText from "../domain/PathText.ts"
import type { ArchiveTree } from "../services/archive/ArchiveTree.ts"
import type * as ArchiveBytes from "../services/bytes/ArchiveBytes.ts"
import * as ByteStream from "../services/bytes/ByteStream.ts"
import type * as Location from "../services/open/Location.ts"
import * as OpenRepository from "../services/open/OpenRepository.ts"
import * as OpenTree from "../services/open/OpenTree.ts"
import type { BlobStore } from "../services/blobs/BlobStore.ts"
import type { Healed } from "../services/chunks/Healed.ts"
import type { Lost } from "../services/tree/Losses.ts"
import * as Archive from "../services/tree/Archive.ts"
import * as Compiler from "./Compiler.ts"
import * as ExitCode from "./ExitCode.ts"
import * as Memory from "./Memory.ts"
import * as CacheOptions from "./repository/CacheOptions.ts"
import * as NetworkOptions from "./repository/NetworkOptions.ts"
import type { Given } from "./repository/RepositoryFlags.ts"
import * as Terminal from "./Terminal.ts"

export type { InRepository, Opened } from "../services/open/OpenRepository.ts"

/** How to open it. */
export interface Options extends Given, OpenTree.Options {
  /** Whether it is walked only once, so that standard input (`-`) or a FIFO will do. */
  readonly once?: boolean | undefined
}

/** What can be wrong. */
export type Failure = Location.Failure | ExitCode.Usage

/** What is done when something is opened. */
export interface OpenOptions {
  /** Whether keys are looked for; true unless given. */
  readonly keys?: boolean | undefined
  /** Is told of what copies had; that is logged unless given. */
  readonly onHealed?: ((healed: Healed) => Effect.Effect<void>) | undefined
  /** Whether the files of a datastore are given out, too; false unless given. */
  readonly givesOut?: boolean | undefined
}

/** Opens what an address names, with the keys at hand; archives are only located. */
export const open = Effect.fnUntraced(function* (
  text: string,
  given: Given,
  { givesOut, keys = true, onHealed }: OpenOptions = {},
): Effect.fn.Return<OpenRepository.Opened, Failure, Scope.Scope> {
  Memory.keepYoungGenerationSmall()
  Compiler.optimizeLate()
  const isOfEnvironment = text.startsWith("::")
  const opened = yield* OpenRepository.open(text, {
    env: isOfEnvironment ? yield* completeEnvironment : process.env,
    server: (repository) =>
      Effect.flatMap(
        Effect.promise(() => import("./server/ServerAccess.ts")),
        (ServerAccess) => ServerAccess.find(given, repository),
      ),
    ...NetworkOptions.access(given),
    keys: keys ? keysOf(given) : noKeys,
    ...CacheOptions.options(given),
    verifyChunks: !given.noVerifyChunks,
    unsigned: given.allowUnsigned ? "allow" : "refuse",
    also: given.also,
    chunks: given.chunks,
    unfinished: given.unfinished ? "open" : "refuse",
    givesOut,
    onHealed: onHealed ?? sayHealed(),
  })
  if (opened._tag !== "InRepository") return opened
  const isInDefault = isOfEnvironment && opened.reference.namespace.length === 0
  const namespace = given.namespace ?? (isInDefault ? process.env["PBS_NAMESPACE"] : undefined)
  return { ...opened, reference: yield* within(opened.reference, namespace) }
})

const completeEnvironment = Effect.flatMap(
  Effect.promise(() => import("./server/Environment.ts")),
  (Environment) => Environment.complete(process.env),
)

const keysOf = (given: Given) =>
  Effect.flatMap(
    Effect.promise(() => import("./repository/Keys.ts")),
    (Keys) => Keys.open(given),
  )

const noKeys = Effect.map(
  Effect.promise(() => import("../services/keys/KeyRing.ts")),
  (KeyRing) => KeyRing.empty,
)

/** The blobs of the datastore that an address is of. */
export const store = (text: string, given: Given): Effect.Effect<BlobStore, Failure, Scope.Scope> =>
  Effect.flatMap(
    Effect.promise(() => import("../services/open/Locate.ts")),
    (Locate) => Locate.store(text, { env: process.env, ...NetworkOptions.access(given) }),
  )

/** The repository that an address is of; `undefined` for archives. */
export const repository = (
  text: string,
  given: Given,
  options?: OpenOptions,
): Effect.Effect<OpenRepository.InRepository | undefined, Failure, Scope.Scope> =>
  Effect.map(open(text, given, options), (opened) => (opened._tag === "InRepository" ? opened : undefined))

/** A reference in the namespace that was given apart from it. */
const within = Effect.fnUntraced(function* (
  reference: Reference.Reference,
  text: string | undefined,
): Effect.fn.Return<Reference.Reference, ExitCode.Usage> {
  if (text === undefined) return reference
  const namespace = Namespace.parse(text)
  if (Result.isFailure(namespace)) return yield* new ExitCode.Usage({ detail: `--namespace: ${namespace.failure}` })
  if (reference.namespace.length > 0) {
    return yield* new ExitCode.Usage({ detail: "the namespace is given twice: with --namespace and after the ::" })
  }
  return { ...reference, namespace: namespace.success }
})

/** What is done about bytes of files that are lost, as the flags say. */
export const onLost = ({ missing }: Pick<Given, "missing">): OpenTree.Options["onLost"] =>
  missing === "zeros" ? sayLost : undefined

const sayLost = ({ archive, end, error, isLast, path, start }: Lost): Effect.Effect<void> =>
  Terminal.say(
    `${archive}${PathText.print(path)}: bytes ${start} to ${end} are lost and read as zeros: ${error.detail}${isLast ? "; further losses of this file are not told" : ""}`,
    "Warn",
  )

/** Files of backups are said one by one, of chunks the first of each copy: there may be very many. */
const sayHealed = (): ((healed: Healed) => Effect.Effect<void>) => {
  const copies = new Set<string>()
  return ({ detail, file, from, kind }) => {
    const text = `${file}: ${detail}; healed from ${from}`
    if (kind === "file") return Effect.logWarning(text)
    if (copies.has(from)) return Effect.logDebug(text)
    copies.add(from)
    return Effect.logWarning(`${text}. Other chunks from there are not said: verify --also tells which`)
  }
}

/** The bytes of one archive that is read once, from front to back: standard input (`-`) or a FIFO will do, too. */
export const bytesOnce = (text: string, options: Options): Effect.Effect<OpenTree.Bytes, Failure, Scope.Scope> =>
  ByteStream.isStream(text) ? OpenTree.streamBytes(text, options) : bytes(text, options)

/** The bytes of one archive. */
export const bytes = (text: string, options: Options): Effect.Effect<ArchiveBytes.ArchiveBytes, Failure, Scope.Scope> =>
  Effect.flatMap(open(text, options), (opened) => OpenTree.bytes(opened, options))

/** The tree of whatever is named: an archive, a backup, a group, a whole repository; or of a folder in an archive. */
export const tree = (text: string, options: Options): Effect.Effect<OpenTree.Tree, Failure, Scope.Scope> =>
  options.once === true && ByteStream.isStream(text)
    ? OpenTree.streamTree(text, options)
    : Effect.flatMap(open(text, options), (opened) => treeOf(opened, options))

/** The same of what has been opened. */
export const treeOf = (
  opened: OpenRepository.Opened,
  options: Options,
): Effect.Effect<OpenTree.Tree, Location.Failure, Scope.Scope> =>
  OpenTree.tree(opened, { ...options, owner: thisUser(), onLost: onLost(options) })

/** Whose the folders are that are in no archive. */
export const thisUser = () => ({ uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 })

/** The same for programs that go by path. */
export const archive = (
  text: string,
  options: Options,
): Effect.Effect<Archive.Archive<ArchiveTree>, Failure, Scope.Scope> =>
  Effect.map(tree(text, options), (opened) => Archive.fromReader(opened.tree))
