/**
 * The handlers of commands that the fast path has, each loaded when it is used. The definitions of these commands take them
 * from here too.
 */

export const handlers = {
  cat: () => import("../archive/CatHandler.ts"),
  diff: () => import("../archive/DiffHandler.ts"),
  extract: () => import("../archive/ExtractHandler.ts"),
  info: () => import("../archive/InfoHandler.ts"),
  list: () => import("../archive/ListHandler.ts"),
  snapshots: () => import("../repository/SnapshotsHandler.ts"),
  status: () => import("../control/StatusHandler.ts"),
  unmount: () => import("../control/UnmountHandler.ts"),
  verify: () => import("../archive/VerifyHandler.ts"),
}
