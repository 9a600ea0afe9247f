/**
 * What `pxar-fuse mount` does (see `MountCommand`): serves, or has another process serve in the background.
 */
import * as Effect from "effect/Effect"
import * as MountOptions from "../../fuse/mount/MountOptions.ts"
import * as ChildEnvironment from "../../services/posix/ChildEnvironment.ts"
import * as MountPoint from "../control/MountPoint.ts"
import { maybeServer, type MountInput, settingsOf } from "./MountInput.ts"
import type { Settings } from "./Settings.ts"

export const handler = Effect.fn("mount")(function* (input: MountInput) {
  const named = settingsOf(input)
  const { foreground, serve: listen } = input
  const options = yield* Effect.fromResult(MountOptions.parse(named.options))
  yield* MountPoint.check(named.mountPoint)
  if (options.remount) return yield* remount(named.mountPoint, options)
  const BesideMount = listen === undefined ? undefined : yield* Effect.promise(() => import("../serve/BesideMount.ts"))
  const beside = BesideMount && (yield* BesideMount.plan(listen ?? "", named, foreground))
  const settings: Settings = { ...named, serve: beside }
  if (foreground) {
    const { serve } = yield* Effect.promise(() => import("./Serve.ts"))
    return yield* serve(settings, undefined, BesideMount?.start)
  }
  yield* withholdSecrets(settings)
  const keyPassphrase = yield* askedAhead(settings)
  const login = yield* loggedInAhead(settings)
  const Background = yield* Effect.promise(() => import("./Background.ts"))
  const passed = [settings.notifyFd, MountOptions.passedDescriptor(settings.mountPoint)]
  yield* Background.start(
    { ...settings, keyPassphrase, ...login },
    passed.filter((descriptor) => descriptor !== undefined),
  )
  if (BesideMount !== undefined && beside !== undefined) process.stdout.write(`${BesideMount.linkOf(beside)}\n`)
})

/** What is mounted there gets these flags; which archive that is, is not asked. */
const remount = Effect.fnUntraced(function* (mountPoint: string, options: MountOptions.MountOptions) {
  const [MountTable, Remount, { NotMounted }] = yield* Effect.promise(() =>
    Promise.all([
      import("../../fuse/mount/MountTable.ts"),
      import("../../fuse/mount/Remount.ts"),
      import("../control/Mounts.ts"),
    ]),
  )
  const entry = yield* MountTable.at(mountPoint)
  if (entry?.fsType.startsWith("fuse") !== true) return yield* new NotMounted({ mountPoint, fsType: entry?.fsType })
  yield* Remount.remount(entry, options)
})

/** The same of a server's password and second factor. */
const loggedInAhead = (settings: Settings) =>
  settings.archives.length === 1 && maybeServer(settings.archives[0] ?? "")
    ? Effect.flatMap(
        Effect.promise(() => import("../server/LoginAhead.ts")),
        (LoginAhead) => LoginAhead.of(settings.archives[0] ?? "", settings),
      )
    : Effect.succeed({})

/** Secrets of places may be in variables of any name. */
const withholdSecrets = ({ also, archives, chunks }: Settings) =>
  [...archives, ...also, ...chunks].some((text) => text.startsWith("place:"))
    ? Effect.gen(function* () {
        const Places = yield* Effect.promise(() => import("../../services/open/Places.ts"))
        for (const name of yield* Places.secretVariables(process.env)) ChildEnvironment.withhold(name)
      })
    : Effect.void

/** The process in the background has no terminal to ask at. */
const askedAhead = (settings: Settings) =>
  settings.keyFile.length === 0
    ? Effect.undefined
    : Effect.flatMap(
        Effect.promise(() => import("../repository/Keys.ts")),
        (Keys) => Keys.askAhead(settings),
      )
