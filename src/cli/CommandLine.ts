/**
 * The command line as mount(8) and fstab(5) write it, brought into the form that the parser knows. Pure.
 *
 * `mount -t fuse.pxar-fuse ARCHIVE DIR -o A,B=C` makes mount.fuse3 run `pxar-fuse ARCHIVE DIR -o A,B=C`: a first word that
 * is no command but looks like a path means `mount`. And every long flag of `mount` can be a word of `-o`, with `_` for
 * `-` if one likes; what is left of `-o` is for `MountOptions`. Everything else stays as it is.
 */
import * as Result from "effect/Result"
import type { MountError } from "../fuse/mount/MountError.ts"
import * as MountOptions from "../fuse/mount/MountOptions.ts"
import * as ExitCode from "./ExitCode.ts"

/** A long flag of `mount`. */
export interface MountFlag {
  readonly name: string
  readonly takesValue: boolean
}

export interface Grammar {
  readonly commands: ReadonlyArray<string>
  readonly mountFlags: ReadonlyArray<MountFlag>
}

type Words = ReadonlyArray<string>

/** The words for the parser. Fails with what is wrong with a word of `-o`. */
export const normalize = (words: Words, grammar: Grammar): Result.Result<Words, MountError | ExitCode.Usage> => {
  const [first = ""] = words
  if (first === "mount") return expandOptions(words, grammar, [])
  if (grammar.commands.includes(first) || !looksLikeArchive(first)) return Result.succeed(words)
  return expandOptions(["mount", ...words], grammar, MOUNT8_DEFAULTS)
}

const looksLikeArchive = (word: string): boolean => !word.startsWith("-") && /\/|\.m?pxar$/.test(word)

/**
 * What mount(8) and mount.fuse3 add whether fstab says so or not. An archive is read-only all the same, and devices and
 * set-uid programs in a backup are not to be trusted because nobody said `nodev,nosuid`.
 */
const MOUNT8_DEFAULTS: Words = ["rw", "dev", "suid"]

const expandOptions = (
  words: Words,
  { mountFlags }: Grammar,
  dropped: Words,
): Result.Result<Words, MountError | ExitCode.Usage> => {
  const flags = new Map(mountFlags.map((flag) => [flag.name, flag]))
  const expanded: Array<string> = []
  const rest: Array<string> = []
  let at = 0
  for (; at < words.length && words[at] !== "--"; at++) {
    const word = words[at] as string
    const attached = /^(?:-o=?|--options=)(.+)$/s.exec(word)?.[1]
    const value = attached ?? (word === "-o" || word === "--options" ? words[++at] : undefined)
    if (value === undefined) {
      // Without its value `-o` is for the parser to complain about.
      expanded.push(word)
      continue
    }
    for (const option of MountOptions.split(value)) {
      if (dropped.includes(option)) continue
      const equals = option.indexOf("=")
      const name = (equals < 0 ? option : option.slice(0, equals)).replaceAll("_", "-")
      const flag = flags.get(name)
      if (flag === undefined) rest.push(option)
      else if (equals >= 0) expanded.push(`--${name}=${MountOptions.unescaped(option.slice(equals + 1))}`)
      else if (flag.takesValue)
        return Result.fail(new ExitCode.Usage({ detail: `mount option ${name}: needs a value` }))
      else expanded.push(`--${name}`)
    }
  }
  return Result.map(MountOptions.parse(rest, [...flags.keys()]), () => [
    ...expanded,
    ...rest.flatMap((option) => ["--options", option]),
    ...words.slice(at),
  ])
}
