/**
 * For tests of programs that embed the library, imported as `pxar-fuse/Testing`: archives without files, sources that
 * fail, and a kernel that a test plays. Importing it does nothing, and no test framework is needed.
 */
export * as KernelReply from "./KernelReply.ts"
export * as KernelRequest from "./KernelRequest.ts"
export * as MemoryArchive from "./MemoryArchive.ts"
export * as MemoryDevice from "../fuse/session/MemoryDevice.ts"
export * as ScriptedKernel from "./ScriptedKernel.ts"
export * as UnreliableSource from "./UnreliableSource.ts"
