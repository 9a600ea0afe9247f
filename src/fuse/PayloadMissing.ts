/**
 * Saying at once what would be an I/O error of every file later: that the payload archive of a split archive is missing.
 *
 * Names, attributes and links are all there without it, so that is no reason not to mount.
 */
import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import * as PathText from "../domain/PathText.ts"
import * as ArchiveBytes from "../services/bytes/ArchiveBytes.ts"

/** Archives that are named; of more only their number is said. */
const MAX_NAMED = 3

/** Warns of those archives (paths) whose payload archive is expected beside them and is not there. */
export const warn = (archives: ReadonlyArray<string>): Effect.Effect<void> =>
  Effect.suspend(() => {
    const missing = archives.flatMap((archive) => {
      const payload = ArchiveBytes.payloadBeside(archive)
      return payload === undefined || fs.existsSync(payload) ? [] : [payload]
    })
    const named = missing
      .slice(0, MAX_NAMED)
      .map((payload) => tell(`the payload archive ${printed(payload)} is missing`))
    const more = missing.length - named.length
    return Effect.all([...named, more > 0 ? tell(`${more} more payload archives are missing`) : Effect.void], {
      discard: true,
    })
  })

/** Warns of one whose name does not tell where its payload archive is expected. */
export const warnUnnamed = (archive: string): Effect.Effect<void> =>
  tell(`${printed(archive)} is half of a split archive, and its payload archive was not named`)

const tell = (what: string): Effect.Effect<void> =>
  Effect.logWarning(`${what}: files cannot be read, everything else can (--payload FILE names it)`)

const printed = (path: string): string => PathText.print(Buffer.from(path))
