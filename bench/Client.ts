/**
 * A program that makes many system calls of one kind, and prints how many milliseconds those took.
 *
 * `lstat LIST ROOT`, `read LIST ROOT`: one call, or open, read and close, for each path of the list below the root.
 * `pread FILE SIZE COUNT`: reads of SIZE bytes at random places, the same in every run.
 */
import * as fs from "node:fs"
import * as Random from "./Random.ts"

const { O_RDONLY } = fs.constants

const [mode, first, second, third] = process.argv.slice(2) as [string, string, string, string]

const paths = (): ReadonlyArray<string> =>
  fs
    .readFileSync(first, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => `${second}/${line}`)

/** Prepares the calls, and returns what makes them. */
const prepare = (): (() => void) => {
  switch (mode) {
    case "lstat": {
      const list = paths()
      return () => {
        for (const path of list) fs.lstatSync(path)
      }
    }
    case "read": {
      const list = paths()
      const buffer = new Uint8Array(128 * 1024)
      return () => {
        for (const path of list) {
          const fd = fs.openSync(path, O_RDONLY)
          fs.readSync(fd, buffer)
          fs.closeSync(fd)
        }
      }
    }
    case "pread": {
      const size = Number(second)
      const random = Random.make(size)
      const fd = fs.openSync(first, O_RDONLY)
      const places = Math.floor(fs.fstatSync(fd).size / size)
      const offsets = Array.from({ length: Number(third) }, () => random.below(places) * size)
      const buffer = new Uint8Array(size)
      return () => {
        for (const offset of offsets) fs.readSync(fd, buffer, 0, size, offset)
      }
    }
    default:
      throw new Error(`unknown mode ${mode}`)
  }
}

const calls = prepare()
const begin = performance.now()
calls()
process.stdout.write(`${performance.now() - begin}\n`)
