/**
 * Compares what was extracted with the archive: kinds, contents byte by byte, and the attributes that were to be
 * restored. What differs is a problem.
 *
 * Contents are read from the disk, as far as the kernel gives its memory of them up.
 */
import * as Effect from "effect/Effect"
import * as Bytes from "../../domain/Bytes.ts"
import type { Content, Entry } from "../../domain/pxar/Entry.ts"
import { S_IFMT } from "../../domain/pxar/Entry.ts"
import type { Node } from "../../domain/pxar/Node.ts"
import * as PathText from "../../domain/PathText.ts"
import * as XattrList from "../../domain/pxar/XattrList.ts"
import type { ArchiveTree } from "../archive/ArchiveTree.ts"
import * as NameSyscalls from "../posix/NameSyscalls.ts"
import * as ReadSyscalls from "../posix/ReadSyscalls.ts"
import * as Syscalls from "../posix/WriteSyscalls.ts"
import * as ExtractAttributes from "./ExtractAttributes.ts"
import type { ExtractEntry } from "./ExtractEntry.ts"
import type { Problems } from "./ExtractProblem.ts"
import type { Folder } from "./Folder.ts"
import type { Target } from "./Target.ts"

export interface Context {
  readonly reader: Pick<ArchiveTree, "content">
  readonly problems: Problems
  readonly restore: ExtractAttributes.Restore
  readonly isRoot: boolean
  /** Whether what is on disk may be newer than in the archive. */
  readonly allowsNewer: boolean
  /** Called when the first `done` bytes of a file are compared. */
  readonly onContent: (content: Content, done: number) => Effect.Effect<void>
}

/** Bytes compared at once. */
const CHUNK = 1024 * 1024

/** Looks at entries instead of extracting them. */
export const entries = (context: Context): ExtractEntry => {
  const { problems, reader } = context
  const ours = Buffer.allocUnsafeSlow(CHUNK)
  const theirs = Buffer.allocUnsafeSlow(CHUNK)
  const differs = (detail: string): void => problems.add("Differs", detail)

  const contents = Effect.fnUntraced(function* (fd: number, node: Node, content: Content): Effect.fn.Return<void> {
    NameSyscalls.dropCached(fd)
    for (let at = 0; at < content.length; at += CHUNK) {
      const wanted = ours.subarray(0, Math.min(CHUNK, content.length - at))
      const error = yield* Effect.match(reader.content(node, at, wanted), {
        onFailure: (error) => error,
        onSuccess: () => undefined,
      })
      if (error !== undefined) return problems.add("Unreadable", error.message)
      const present = theirs.subarray(0, wanted.length)
      const result = readFully(fd, present, at)
      if (result < 0) return problems.add("Differs", "cannot be read again", result)
      if (result < present.length || !wanted.equals(present)) {
        return differs(`its content is not that of the archive, somewhere from byte ${at} on`)
      }
      yield* context.onContent(content, at + wanted.length)
    }
  })

  const extract = Effect.fnUntraced(function* (folder: Folder, found: Target): Effect.fn.Return<void> {
    if (folder.state === "Absent") return
    const { entry, name } = found
    const status = NameSyscalls.status(folder.fd, name)
    if (typeof status === "number") return problems.add("Differs", "is not there", status)
    if ((status.mode & S_IFMT) !== (entry.mode & S_IFMT)) return differs("is of another kind")
    if (context.allowsNewer && status.mtimeSeconds > entry.mtimeSeconds) return
    const { body } = entry
    const isFile = body._tag === "File"
    const fd = isFile ? Syscalls.openFile(folder.fd, name) : -1
    if (isFile && fd < 0) return problems.add("Differs", "cannot be opened again", fd)
    attributes(context, fd, entry, status)
    if (body._tag === "Symlink") {
      const target = NameSyscalls.readLink(folder.fd, name)
      if (typeof target === "number" || !Bytes.equals(target, body.target)) differs("leads elsewhere")
    } else if (body._tag === "Device") {
      if (BigInt(status.major) !== body.major || BigInt(status.minor) !== body.minor) differs("is another device")
    } else if (isFile) {
      if (status.size === body.content.length) yield* contents(fd, found.node, body.content)
      else differs(`is ${status.size} bytes long, not ${body.content.length}`)
      ReadSyscalls.close(fd)
    }
  })

  return { extract, abandon: () => undefined }
}

/** Compares the attributes of what is on disk, open as `fd` if it is a file or a folder, with those of its entry. */
export const attributes = (
  { isRoot, problems, restore }: Pick<Context, "isRoot" | "problems" | "restore">,
  fd: number,
  entry: Entry,
  status: ReadSyscalls.Status,
): void => {
  const different: Array<string> = []
  const isSymlink = entry.body._tag === "Symlink"
  if (restore.owner && isRoot && (status.uid !== entry.uid || status.gid !== entry.gid)) different.push("owner")
  // Set-id bits need their owner, and with an ACL the bits of the group are its mask.
  if (restore.permissions && !isSymlink && ((status.mode ^ entry.mode) & 0o707) !== 0) different.push("mode")
  const nanos = status.mtimeNanos === 0 ? 0 : entry.mtimeNanos
  if (status.mtimeSeconds !== entry.mtimeSeconds || status.mtimeNanos !== nanos) different.push("time")
  if (fd >= 0) {
    for (const { name, value } of XattrList.fromEntry(entry).xattrs) {
      const kind = ExtractAttributes.kindOf({ name, value })
      if (kind === undefined || !(kind === "Xattr" ? restore.xattrs : kind === "Acl" ? restore.acls : restore.fcaps))
        continue
      if (!isRoot && kind !== "Acl" && PathText.print(name).startsWith("user.") === false) continue
      const present = ReadSyscalls.getXattr(fd, Bytes.concat([name, Uint8Array.of(0)]))
      if (typeof present === "number" || !Bytes.equals(present, value)) different.push(PathText.print(name))
    }
  }
  if (different.length > 0) problems.add("Differs", `not as in the archive: ${different.join(", ")}`)
}

/** Reads up to `target.length` bytes; fewer only at the end of the file. */
const readFully = (fd: number, target: Uint8Array, offset: number): number => {
  let done = 0
  while (done < target.length) {
    const count = ReadSyscalls.readAt(fd, target.subarray(done), offset + done)
    if (count < 0) return count
    if (count === 0) break
    done += count
  }
  return done
}
