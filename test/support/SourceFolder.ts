/**
 * Folders on disk for tests of `create`, and what an archive must show of them: system calls on one side, the project's
 * reader on the other.
 */
import { execFileSync } from "node:child_process"
import * as crypto from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { Effect } from "effect"
import type { Entry } from "../../src/domain/pxar/Entry.ts"
import type * as Node from "../../src/domain/pxar/Node.ts"
import * as XattrList from "../../src/domain/pxar/XattrList.ts"
import type { ArchiveError } from "../../src/services/archive/ArchiveError.ts"
import type { Listed } from "../../src/services/archive/ArchiveTree.ts"
import type * as ArchiveReader from "../../src/services/archive/ArchiveReader.ts"
import { makeNode, setTime, setXattr } from "./Materialize.ts"
import * as MountedTree from "./MountedTree.ts"
import * as Tree from "./Tree.ts"

/** Makes files with these contents, and the folders on the way; a path with a slash at its end is a folder. */
export const makeFiles = (folder: string, files: Readonly<Record<string, string | Uint8Array>>): void => {
  for (const [name, content] of Object.entries(files)) {
    const full = path.join(folder, name)
    if (name.endsWith("/")) fs.mkdirSync(full, { recursive: true })
    else {
      fs.mkdirSync(path.dirname(full), { recursive: true })
      fs.writeFileSync(full, content)
    }
  }
}

/** Fills `folder` with what any user may make: every kind but devices, odd names, times, modes, links, attributes. */
export const fillAsUser = (folder: string): void => {
  const at = (name: string | Buffer): Buffer => Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name)])
  for (const size of [0, 1, 4095, 4096, 131_071, 131_072, 1_048_575, 1_048_576, 1_114_112, 5_000_000]) {
    fs.writeFileSync(at(`size${size}`), Buffer.alloc(size, `content of ${size} `))
  }
  makeFiles(folder, { "deep/er/and/deeper/file": "x", "empty/": "", "many/": "" })
  for (let i = 0; i < 300; i++) fs.writeFileSync(at(`many/${i}`), `${i}`)
  for (const name of [[0xff, 0xfe], [0xc3, 0x28], [0x01], [0x20], [0x0a, 0x5c], [0x7f], [0x80]]) {
    fs.writeFileSync(at(Buffer.from(name)), Buffer.from(name))
  }
  fs.writeFileSync(at("n".repeat(255)), "a long name")
  fs.mkdirSync(at(Buffer.from([0x64, 0xe9])))
  fs.writeFileSync(at(Buffer.from([0x64, 0xe9, 0x2f, 0xe8])), "not UTF-8")
  fs.symlinkSync("/no/such", at("dangling"))
  fs.symlinkSync(Buffer.from([0xff, 0x2f, 0xfe]), at("bytes"))
  fs.symlinkSync("x".repeat(4095), at("long link"))
  fs.symlinkSync("deep", at("link to a folder"))
  fs.linkSync(at("size4096"), at("deep/er/link"))
  fs.linkSync(at("size4096"), at("another link"))
  makeNode(at("fifo"), 0o010640)
  makeNode(at("socket"), 0o140755)
  for (const mode of [0o4755, 0o2755, 0o1777, 0o600, 0o777, 0o444]) {
    fs.writeFileSync(at(`mode${mode.toString(8)}`), "")
    fs.chmodSync(at(`mode${mode.toString(8)}`), mode)
  }
  fs.writeFileSync(at("attributes"), "")
  setXattr(at("attributes"), "user.text", Buffer.from("value"))
  setXattr(at("attributes"), "user.empty", Buffer.alloc(0))
  setXattr(at("attributes"), Buffer.from([0x75, 0x73, 0x65, 0x72, 0x2e, 0xff]), Buffer.from([0, 1, 2, 0]))
  setXattr(at("deep"), "user.of a folder", Buffer.alloc(300, 7))
  execFileSync("setfacl", ["-m", "u:1234:rw,g:4321:r,m::rwx", `${folder}/size1`])
  execFileSync("setfacl", ["-m", "u:1234:rwx,d:u:1:rwx,d:g:2:r", `${folder}/deep`])
  execFileSync("setfacl", ["-d", "-m", "u::rwx,g::rx,o::-", `${folder}/empty`])
  const times: ReadonlyArray<readonly [string, bigint, number]> = [
    ["size1", -1n, 500_000_000],
    ["size0", -2_000_000_000n, 1],
    ["dangling", -5n, 999_999_999],
    ["fifo", 0n, 0],
    ["socket", 4_000_000_000n, 123_456_789],
    ["deep/er", 1n, 1],
  ]
  for (const [name, seconds, nanos] of times) setTime(at(name), seconds, nanos)
}

/** Fills `folder` with what only root may make. */
export const fillAsRoot = (folder: string): void => {
  fillAsUser(folder)
  const at = (name: string): Buffer => Buffer.from(`${folder}/${name}`)
  makeNode(at("null"), 0o020666, 1n, 3n)
  makeNode(at("disk"), 0o060660, 259n, 1_000_000n)
  for (const [name, uid, gid] of [
    ["size1", 1000, 1001],
    ["dangling", 0xffff_fffe, 1],
    ["null", 5, 6],
    ["fifo", 7, 8],
    ["deep", 9, 10],
  ] as const) {
    fs.lchownSync(at(name), uid, gid)
  }
  setXattr(at("attributes"), "trusted.t", Buffer.from("t"))
  setXattr(at("attributes"), "security.NTACL", Buffer.from([4, 0, 4, 0]))
  execFileSync("setcap", ["cap_net_raw,cap_chown=ep", `${folder}/size4095`])
}

/** What `stat`, `readlink`, the attributes and the content of an entry show. */
export interface Shown {
  readonly path: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly time: bigint
  /** Of files and links. */
  readonly size: number | undefined
  readonly target: string | undefined
  readonly rdev: readonly [number, number] | undefined
  readonly sha256: string | undefined
  readonly xattrs: Readonly<Record<string, string>>
}

const BILLION = 1_000_000_000n

/** A folder as system calls show it, by path. */
export const onDisk = (folder: string): ReadonlyArray<Shown> =>
  sorted(
    MountedTree.read(folder).map((seen) => ({
      path: seen.path.toString("latin1"),
      mode: seen.mode,
      uid: seen.uid,
      gid: seen.gid,
      time: seen.mtimeSeconds * BILLION + BigInt(seen.mtimeNanos),
      size: seen.kind === "file" || seen.kind === "symlink" ? seen.size : undefined,
      target: seen.target?.toString("latin1"),
      rdev: seen.rdev,
      sha256: seen.sha256,
      xattrs: seen.xattrs,
    })),
  )

const sorted = (shown: ReadonlyArray<Shown>): ReadonlyArray<Shown> =>
  shown.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))

/** An archive as its reader shows it, by path; hard links as what they link to. */
export const inArchive = Effect.fnUntraced(function* (
  reader: ArchiveReader.ArchiveReader,
): Effect.fn.Return<ReadonlyArray<Shown>, ArchiveError> {
  const found: Array<Shown> = []
  const show = Effect.fnUntraced(function* (
    node: Node.Node,
    entry: Entry,
    at: string,
  ): Effect.fn.Return<void, ArchiveError> {
    const { body } = entry
    const content = new Uint8Array(body._tag === "File" ? body.content.length : 0)
    if (body._tag === "File" && content.length > 0) yield* reader.content(node, 0, content)
    const { xattrs } = XattrList.fromEntry(entry)
    const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")
    found.push({
      path: at,
      mode: entry.mode,
      uid: entry.uid,
      gid: entry.gid,
      time: entry.mtimeSeconds * BILLION + BigInt(entry.mtimeNanos),
      size: body._tag === "File" ? content.length : body._tag === "Symlink" ? body.target.length : undefined,
      target: body._tag === "Symlink" ? Tree.key(body.target) : undefined,
      rdev: body._tag === "Device" ? [Number(body.major), Number(body.minor)] : undefined,
      sha256: body._tag === "File" ? crypto.createHash("sha256").update(content).digest("hex") : undefined,
      xattrs: Object.fromEntries(xattrs.map(({ name, value }) => [hex(name), hex(value)])),
    })
  })
  const visit: (node: Node.Node, at: string) => Effect.Effect<void, ArchiveError> = Effect.fnUntraced(
    function* (node, at) {
      yield* show(node, yield* reader.entry(node), at === "" ? "/" : at)
      const children: Array<Listed> = []
      yield* reader.list(node, 0, (child) => children.push(child) > 0)
      for (const child of children) {
        if (child._tag !== "Found") throw new Error(`hidden or unreadable child of ${at}`)
        const childPath = `${at}/${Tree.key(child.name)}`
        if (child.entry.body._tag === "Directory") yield* visit(child.node, childPath)
        else yield* show(child.node, child.entry, childPath)
      }
    },
  )
  yield* visit(reader.root, "")
  return sorted(found)
})
