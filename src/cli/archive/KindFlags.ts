/**
 * Flags that leave out kinds of attributes and of entries, of what is stored and of what is restored.
 */
import * as Parameters from "../Parameters.ts"

export const flags = (verb: "restore" | "store") => ({
  noXattrs: Parameters.flag("no-xattrs", `Do not ${verb} extended attributes`),
  noAcls: Parameters.flag("no-acls", `Do not ${verb} ACLs`),
  noFcaps: Parameters.flag("no-fcaps", `Do not ${verb} file capabilities`),
  noDeviceNodes: Parameters.flag("no-device-nodes", "Leave out devices"),
  noFifos: Parameters.flag("no-fifos", "Leave out FIFOs"),
  noSockets: Parameters.flag("no-sockets", "Leave out sockets"),
})

/** What was given of them. */
export type Given = { readonly [Name in keyof ReturnType<typeof flags>]: boolean }

/** The kinds that stay, as `CreateArchive` and `Extractor` have them. */
export const kept = (given: Given) => ({
  xattrs: !given.noXattrs,
  acls: !given.noAcls,
  fcaps: !given.noFcaps,
  deviceNodes: !given.noDeviceNodes,
  fifos: !given.noFifos,
  sockets: !given.noSockets,
})
