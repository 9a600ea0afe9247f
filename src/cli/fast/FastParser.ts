/**
 * Reads command lines of common words: operands, flags with nothing to them, and flags whose value is taken as it is. Pure.
 *
 * It answers what the library of command lines would, or `undefined`: for whatever it does not know, for mistakes, and for
 * flags whose values mean something. Then the library reads the line. A test compares the two.
 */
import { looksLikeArchive } from "../Grammar.ts"
import type { Command, Flag, Table } from "./FastTable.ts"

/** A command, and what its handler gets. */
export interface Parsed {
  readonly name: string
  readonly input: Readonly<Record<string, unknown>>
}

type Words = ReadonlyArray<string>

export const parse = (words: Words, { commands }: Table): Parsed | undefined => {
  const [first = "", ...rest] = words
  if (Object.hasOwn(commands, first)) return ofCommand(commands[first] as Command, rest)
  const { mount } = commands
  return mount !== undefined && looksLikeArchive(first) ? ofCommand(mount, words) : undefined
}

const ofCommand = (command: Command, words: Words): Parsed | undefined => {
  const input: Record<string, unknown> = { ...command.input }
  const operands: Array<string> = []
  const given = new Set<string>()
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string
    if (!isPlain(word)) return undefined
    if (!word.startsWith("-")) {
      operands.push(word)
      continue
    }
    const [, name = word, attached] = /^(--[^=]+)=(.*)$/s.exec(word) ?? []
    const flags = Object.hasOwn(command.flags, name) ? [command.flags[name] as Flag] : letters(name, command)
    if (flags === undefined) return undefined
    for (const flag of flags) {
      if (given.has(flag.key) && flag.kind !== "texts") return undefined
      given.add(flag.key)
      if (flag.kind === "true") {
        if (attached !== undefined) return undefined
        input[flag.key] = true
        continue
      }
      // A letter may have its value in the same word.
      if (!name.startsWith("--")) return undefined
      const value = attached ?? words[++at]
      if (value === undefined || value.startsWith("-") || !isPlain(value)) return undefined
      if (flag.kind === "choice" && flag.choices?.includes(value) !== true) return undefined
      input[flag.key] = flag.kind === "texts" ? [...(input[flag.key] as Words), value] : value
    }
  }
  return withOperands(command, input, operands)
}

/** Node has U+FFFD for bytes that are not UTF-8. */
const isPlain = (word: string): boolean => word !== "" && !word.includes("\ufffd")

/** The flags of a word with several letters. */
const letters = (word: string, { flags }: Command): ReadonlyArray<Flag> | undefined => {
  if (!/^-[a-zA-Z]{2,}$/.test(word)) return undefined
  const found = Array.from(word.slice(1), (letter) => flags[`-${letter}`])
  return found.every((flag) => flag?.kind === "true") ? (found as ReadonlyArray<Flag>) : undefined
}

const withOperands = (
  { name, operands: wanted }: Command,
  input: Record<string, unknown>,
  operands: Words,
): Parsed | undefined => {
  let at = 0
  for (const { key, kind, least } of wanted) {
    const values = kind === "many" ? operands.slice(at) : operands.slice(at, at + 1)
    if (values.length < least) return undefined
    if (kind === "many") input[key] = values
    else if (values.length > 0) input[key] = values[0]
    at += values.length
  }
  return at === operands.length ? { name, input } : undefined
}
