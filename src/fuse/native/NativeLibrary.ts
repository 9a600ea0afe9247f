/**
 * libfuse 2 through the package `fuse-native`, which is optional and loaded by the first call.
 *
 * Only its binding is used. Its JavaScript lets libfuse read beyond the memory of attributes, has no way to say which
 * inode numbers to show, and unmounts with a shell command that has the path in it.
 *
 * Operations come from threads of libfuse, each of which waits until its operation was answered, exactly once. Memory
 * of `read` and of attributes is theirs, and may be written to until the answer only.
 */
import { createRequire } from "node:module"
import * as os from "node:os"
import * as path from "node:path"
import * as workers from "node:worker_threads"
import * as Effect from "effect/Effect"
import * as Errno from "../../domain/Errno.ts"
import type * as Stat from "../../domain/pxar/Stat.ts"
import { once } from "../../services/posix/Once.ts"
import { MountError } from "../mount/MountError.ts"
import * as NativeStat from "./NativeStat.ts"
import type { Handle, Listed } from "./PathFiles.ts"

/** The answer to one operation: one of the two, once. */
export interface Reply<A> {
  readonly succeed: (value: A) => void
  readonly fail: (errno: Errno.Errno) => void
}

/** What libfuse asks; paths begin with a slash. Must not throw. */
export interface Operations {
  /** The kernel speaks to libfuse. */
  readonly init: (reply: Reply<void>) => void
  readonly statfs: (reply: Reply<Volume>) => void
  readonly getattr: (path: string, reply: Reply<Stat.Stat>) => void
  readonly readdir: (path: string, reply: Reply<ReadonlyArray<Listed>>) => void
  readonly readlink: (path: string, reply: Reply<string>) => void
  /** The handle must not be 0. */
  readonly open: (path: string, flags: number, reply: Reply<Handle>) => void
  /** Answered with the number of bytes that were written into `target`. So are `getxattr` and `listxattr`. */
  readonly read: (handle: Handle, offset: number, target: Uint8Array, reply: Reply<number>) => void
  readonly release: (handle: Handle, reply: Reply<void>) => void
  readonly getxattr: (path: string, name: string, target: Uint8Array, reply: Reply<number>) => void
  readonly listxattr: (path: string, target: Uint8Array, reply: Reply<number>) => void
}

/** A file system as `df` shows it. */
export interface Volume {
  /** Bytes. */
  readonly size: number
  /** Bytes of the longest name. */
  readonly nameMax: number
}

export interface Library {
  /**
   * Mounts, and blocks while it does. `options` are those of libfuse's `-o`. False if libfuse refused, which says why
   * on stderr. `detach` lets go of the operations: what is asked from then on is answered with EIO.
   */
  readonly mount: (
    mountPoint: string,
    options: string,
    operations: Operations,
  ) => { readonly detach: () => void } | false
}

/** Bytes of a mount point, and of the options, that the binding takes. */
export const MAX_TEXT = 1023

/** Loads the library. Fails with `NoFuseNative` where the package or libfuse 2 is missing, or has no build for this machine. */
export const load: Effect.Effect<Library, MountError> = Effect.suspend(() => {
  // It answers through the main thread's event loop, whoever mounted.
  if (!workers.isMainThread) return missing("it works on a program's main thread only")
  try {
    return Effect.succeed(library())
  } catch (error) {
    return missing(adviceFor(error instanceof Error ? error.message : String(error)))
  }
})

const missing = (detail: string) => Effect.fail(new MountError({ reason: "NoFuseNative", detail }))

const loadBinding = (): Binding => {
  const require = createRequire(import.meta.url)
  const folder = path.dirname(require.resolve("fuse-native/package.json"))
  const load = createRequire(path.join(folder, "index.js"))("node-gyp-build") as (folder: string) => Binding
  return load(folder)
}

const library = once(() => over(loadBinding()))

const adviceFor = (problem: string): string => {
  if (/Cannot find (module|package)/.test(problem)) {
    return "the package fuse-native is not installed: apt-get install libfuse2, then npm install fuse-native@2.2.6, with -g if pxar-fuse was installed with -g"
  }
  if (/libfuse/.test(problem)) return "there is no libfuse 2: apt-get install libfuse2 (libfuse2t64 from Debian 13 on)"
  if (/No native build/.test(problem)) {
    return `no build for ${os.arch()}: apt-get install build-essential libfuse2, then npm rebuild fuse-native`
  }
  return problem
}

type Signal = (locals: unknown, result: number, ...values: ReadonlyArray<unknown>) => void

/** The binding's exports, as far as they are used (fuse-native.c of version 2.2.6). */
type Binding = Readonly<Record<`fuse_native_signal_${keyof Operations}`, Signal>> &
  Readonly<Record<`op_${keyof Operations}`, number>> & {
    readonly sizeof_fuse_thread_t: number
    readonly fuse_native_mount: (
      mountPoint: string,
      options: string,
      thread: Buffer,
      context: object,
      allocate: (size: number) => Buffer,
      handlers: ReadonlyArray<Handler>,
      implemented: Uint32Array,
    ) => void
    readonly fuse_native_unmount: (mountPoint: string, thread: Buffer) => void
  }

/** `locals` is the thread that waits; the arguments behind the opcode depend on that. */
type Handler = (locals: unknown, opcode: number, ...args: ReadonlyArray<never>) => void

/** Length of the binding's tables of operations. */
const OPERATIONS = 35
const TWO_32 = 0x1_0000_0000

const over = (binding: Binding): Library => ({
  mount: (mountPoint, options, operations) => {
    // The binding never frees what it was given: it keeps this object, and nothing behind it once detached.
    const state: State = { operations, buffers: [Buffer.alloc(binding.sizeof_fuse_thread_t)] }
    const [thread] = state.buffers as [Buffer]
    const handlers = Array.from({ length: OPERATIONS }, (): Handler => () => {})
    const implemented = new Uint32Array(OPERATIONS)
    for (const [name, handler] of Object.entries(handlersOf(binding, state))) {
      const index = binding[`op_${name as keyof Operations}`]
      handlers[index] = handler as Handler
      implemented[index] = 1
    }
    const allocate = (size: number): Buffer => {
      const buffer = Buffer.alloc(size)
      state.buffers.push(buffer)
      return buffer
    }
    try {
      binding.fuse_native_mount(mountPoint, `-o${options}`, thread, state, allocate, handlers, implemented)
    } catch {
      return false
    }
    return {
      detach: () => {
        state.operations = refusing
        // The process may end although the binding still listens.
        binding.fuse_native_unmount(mountPoint, thread)
      },
    }
  },
})

interface State {
  operations: Operations
  /** Memory that libfuse's threads use. */
  readonly buffers: Array<Buffer>
}

/** What the binding calls, and what it is told then. */
const handlersOf = (binding: Binding, state: State) => {
  /** An answer that is nothing but a result, and bytes in memory that is given back. */
  const count = (signal: Signal, locals: unknown, ...values: ReadonlyArray<unknown>): Reply<number> => ({
    succeed: (length) => signal(locals, length, ...values),
    fail: ({ code }) => signal(locals, -code, ...values),
  })
  const value = <A>(signal: Signal, locals: unknown, encode: (value: A | undefined) => ReadonlyArray<unknown>) => ({
    succeed: (value: A) => signal(locals, 0, ...encode(value)),
    fail: ({ code }: Errno.Errno) => signal(locals, -code, ...encode(undefined)),
  })
  return {
    init: (locals: unknown) => state.operations.init(value(binding.fuse_native_signal_init, locals, () => [])),
    statfs: (locals: unknown) =>
      state.operations.statfs(
        value(binding.fuse_native_signal_statfs, locals, (volume = { size: 0, nameMax: 0 }) => [
          NativeStat.volumeWords(volume.size, volume.nameMax),
        ]),
      ),
    getattr: (locals: unknown, _opcode: number, path: string) =>
      state.operations.getattr(
        path,
        value(binding.fuse_native_signal_getattr, locals, (stat) => [NativeStat.words(stat ?? { ino: 0, mode: 0 })]),
      ),
    readdir: (locals: unknown, _opcode: number, path: string) =>
      state.operations.readdir(
        path,
        value(binding.fuse_native_signal_readdir, locals, (listed = []) => [
          listed.map(({ name }) => name),
          listed.map(({ stat }) => NativeStat.words(stat)),
        ]),
      ),
    readlink: (locals: unknown, _opcode: number, path: string) =>
      state.operations.readlink(
        path,
        value(binding.fuse_native_signal_readlink, locals, (target = "") => [target]),
      ),
    open: (locals: unknown, _opcode: number, path: string, flags: number) =>
      state.operations.open(
        path,
        flags,
        value(binding.fuse_native_signal_open, locals, (handle = 0) => [handle]),
      ),
    read: (
      locals: unknown,
      _opcode: number,
      _path: string,
      handle: number,
      target: Buffer,
      _length: number,
      low: number,
      high: number,
    ) =>
      state.operations.read(
        handle,
        low + high * TWO_32,
        target,
        count(binding.fuse_native_signal_read, locals, 0, target.buffer),
      ),
    release: (locals: unknown, _opcode: number, _path: string, handle: number) =>
      state.operations.release(
        handle,
        value(binding.fuse_native_signal_release, locals, () => []),
      ),
    getxattr: (locals: unknown, _opcode: number, path: string, name: string, target: Buffer) =>
      state.operations.getxattr(path, name, target, count(binding.fuse_native_signal_getxattr, locals, target.buffer)),
    listxattr: (locals: unknown, _opcode: number, path: string, target: Buffer) =>
      state.operations.listxattr(path, target, count(binding.fuse_native_signal_listxattr, locals, target.buffer)),
  }
}

/** Answers what is asked when the mount has ended. */
const refusing: Operations = {
  init: (reply) => reply.fail(Errno.EIO),
  statfs: (reply) => reply.fail(Errno.EIO),
  getattr: (_path, reply) => reply.fail(Errno.EIO),
  readdir: (_path, reply) => reply.fail(Errno.EIO),
  readlink: (_path, reply) => reply.fail(Errno.EIO),
  open: (_path, _flags, reply) => reply.fail(Errno.EIO),
  read: (_handle, _offset, _target, reply) => reply.fail(Errno.EIO),
  release: (_handle, reply) => reply.fail(Errno.EIO),
  getxattr: (_path, _name, _target, reply) => reply.fail(Errno.EIO),
  listxattr: (_path, _target, reply) => reply.fail(Errno.EIO),
}
