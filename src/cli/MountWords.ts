/**
 * The words of `-o`, as fstab(5) and mount(8) write them. Pure.
 *
 * Every long flag of `mount` can be one of them, with `_` for `-` if one likes; what is left is for `MountOptions`.
 */
import * as Result from "effect/Result"
import type { MountError } from "../fuse/mount/MountError.ts"
import * as MountOptions from "../fuse/mount/MountOptions.ts"
import type { Flag } from "./Grammar.ts"
import * as ExitCode from "./ExitCode.ts"

type Words = ReadonlyArray<string>

/**
 * What mount(8) and mount.fuse3 add whether fstab says so or not. An archive is read-only all the same, and devices and
 * set-uid programs in a backup are not to be trusted because nobody said `nodev,nosuid`.
 */
export const DEFAULTS: Words = ["rw", "dev", "suid"]

/** Words with a flag in place of each word of `--options` that is one, and without those that are `dropped`. */
export const expand = (
  words: Words,
  known: ReadonlyArray<Flag>,
  dropped: Words,
): Result.Result<Words, MountError | ExitCode.Usage> => {
  const flags = new Map(
    known
      .filter(({ name }) => name !== "options")
      .flatMap((flag) => [flag.name, ...flag.aliases].map((name) => [name, flag] as const))
      .filter(([name]) => name.length > 1),
  )
  const expanded: Array<string> = []
  const rest: Array<string> = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string
    const attached = /^--options=(.+)$/s.exec(word)?.[1]
    const value = attached ?? (word === "--options" ? words[++at] : undefined)
    if (value === undefined) {
      // Without its value it is for the parser to complain about.
      expanded.push(word)
      continue
    }
    const options = MountOptions.split(value)
    // With this word mount(8) says what the mount has, and adds nothing by itself.
    const added = options.includes("remount") ? [] : dropped
    for (const option of options) {
      if (added.includes(option)) continue
      const equals = option.indexOf("=")
      const name = (equals < 0 ? option : option.slice(0, equals)).replaceAll("_", "-")
      const flag = flags.get(name)
      if (flag === undefined) rest.push(option)
      else if (equals >= 0) expanded.push(`--${name}=${MountOptions.unescaped(option.slice(equals + 1))}`)
      else if (flag.takesValue)
        return Result.fail(new ExitCode.Usage({ detail: `mount option ${name}: needs a value` }))
      else expanded.push(`--${name}=true`)
    }
  }
  return Result.map(MountOptions.parse(rest, [...flags.keys()]), () => [
    ...expanded,
    ...rest.flatMap((option) => ["--options", option]),
  ])
}
