/**
 * Small files by the commands that mount nothing, beside tar, bsdtar and squashfs-tools on the same tree in the same
 * rounds: CPU of whole processes, and the clock.
 *
 * Every ratio is taken within a round. Where those of one row are far apart, the row says that they mean little.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as CpuTime from "./CpuTime.ts"
import * as Process from "./Process.ts"
import * as Statistics from "./Statistics.ts"
import * as Trees from "./Trees.ts"

/** What `--only` calls it. */
export const NAME = "small-files"

export interface Setting {
  /** The words that start the command. */
  readonly program: ReadonlyArray<string>
  readonly directory: string
  readonly scratch: string
  readonly rounds: number
  /** Without the tree of 100,000 files. */
  readonly quick: boolean
  /** Names of commands; all if there are none. */
  readonly only: ReadonlyArray<string>
  readonly say: (line: string) => void
}

/** One command of one contender on one tree, by rounds. */
export interface Figure {
  readonly files: number
  readonly command: string
  readonly contender: string
  readonly cpuMs: Array<number>
  readonly wallMs: Array<number>
}

/** Whose times the others' are divided by. */
const PEER = "tar"

/** What a row is made in: archives to read, and names to write to, which are gone after each run. */
interface Place {
  readonly tree: Trees.Tree
  readonly images: Trees.Images
  readonly tar: string
  readonly target: string
}

type Commands = Readonly<Record<string, (place: Place) => ReadonlyArray<string>>>

const commandsOf = (program: ReadonlyArray<string>): Readonly<Record<string, Commands>> => {
  const attributes = ["--xattrs", "--xattrs-include=*", "--acls"]
  return {
    create: {
      v1: ({ target, tree }) => [...program, "create", `${target}.pxar`, tree.folder],
      v2: ({ target, tree }) => [...program, "create", `${target}.mpxar`, tree.folder],
      tar: ({ target, tree }) => ["tar", ...attributes, "-C", tree.folder, "-cf", target, "."],
      bsdtar: ({ target, tree }) => ["bsdtar", "-C", tree.folder, "-cf", target, "."],
      squashfs: ({ target, tree }) => ["mksquashfs", tree.folder, target, ...SQUASHFS],
    },
    extract: {
      v1: ({ images, target }) => [...program, "extract", images.v1, target],
      v2: ({ images, target }) => [...program, "extract", images.v2 as string, target],
      tar: ({ tar, target }) => [
        "sh",
        "-c",
        'mkdir "$2" && exec tar "$@"',
        "sh",
        "-C",
        target,
        ...attributes,
        "-xf",
        tar,
      ],
      bsdtar: ({ tar, target }) => ["sh", "-c", 'mkdir "$2" && exec bsdtar "$@"', "sh", "-C", target, "-xpf", tar],
      squashfs: ({ images, target }) => ["unsquashfs", "-no-progress", "-d", target, images.squashfs as string],
    },
    list: {
      v1: ({ images }) => [...program, "list", images.v1],
      v2: ({ images }) => [...program, "list", images.v2 as string],
      tar: ({ tar }) => ["tar", "-tf", tar],
      bsdtar: ({ tar }) => ["bsdtar", "-tf", tar],
      squashfs: ({ images }) => ["unsquashfs", "-l", images.squashfs as string],
    },
    "list -l": {
      v1: ({ images }) => [...program, "list", "-l", images.v1],
      v2: ({ images }) => [...program, "list", "-l", images.v2 as string],
      tar: ({ tar }) => ["tar", "-tvf", tar],
      bsdtar: ({ tar }) => ["bsdtar", "-tvf", tar],
      squashfs: ({ images }) => ["unsquashfs", "-ll", images.squashfs as string],
    },
    diff: {
      v1: ({ images, tree }) => [...program, "diff", images.v1, tree.folder],
      v2: ({ images, tree }) => [...program, "diff", images.v2 as string, tree.folder],
      tar: ({ tar, tree }) => ["tar", "-C", tree.folder, "-df", tar],
    },
    // tar has no check of its own: it reads everything.
    verify: {
      v1: ({ images }) => [...program, "verify", images.v1],
      v2: ({ images }) => [...program, "verify", images.v2 as string],
      tar: ({ tar }) => ["tar", "-xOf", tar],
      bsdtar: ({ tar }) => ["bsdtar", "-xOf", tar],
    },
  }
}

const SQUASHFS = ["-noI", "-noD", "-noF", "-noX", "-no-progress", "-quiet"]

/** The program that a contender needs, and the Debian package that has it. */
const needs: Readonly<Record<string, readonly [program: string, debian: string]>> = {
  bsdtar: ["bsdtar", "libarchive-tools"],
  squashfs: ["mksquashfs", "squashfs-tools"],
}

/** CPU and time of a command whose output nobody reads. */
const measure = async (
  command: ReadonlyArray<string>,
): Promise<{ readonly cpuMs: number; readonly wallMs: number }> => {
  const [cpu, begin] = [CpuTime.ofEndedChildren(), performance.now()]
  await Process.run(["sh", "-c", 'exec "$@" > /dev/null', "sh", ...command])
  return { wallMs: performance.now() - begin, cpuMs: CpuTime.ofEndedChildren() - cpu }
}

/** Measures, and tells the tables as they will be printed. */
export const run = async (setting: Setting, print: (line: string) => void): Promise<ReadonlyArray<Figure>> => {
  const missing = new Set<string>()
  for (const [contender, [program, debian]] of Object.entries(needs)) {
    if (await Process.isThere(program)) continue
    missing.add(contender)
    setting.say(`without ${contender}: ${program} is missing (Debian: ${debian})`)
  }
  const figures: Array<Figure> = []
  const names: ReadonlyArray<Trees.TreeName> = [
    "thousand",
    "ten thousand",
    ...(setting.quick ? [] : ["small" as const]),
  ]
  print(header)
  for (const name of names) {
    const tree = await Trees.get(name, { ...setting, quick: false })
    if (tree.images === undefined) continue
    const place: Place = {
      tree,
      images: tree.images,
      tar: path.join(setting.scratch, "archive.tar"),
      target: path.join(setting.scratch, "target"),
    }
    await Process.run(["tar", "--xattrs", "--acls", "-C", tree.folder, "-cf", place.tar, "."])
    for (const [command, contenders] of Object.entries(commandsOf(setting.program))) {
      if (setting.only.length > 0 && !setting.only.includes(command)) continue
      const row = Object.entries(contenders)
        .filter(([contender]) => !missing.has(contender))
        .map(([contender, words]) => {
          const figure: Figure = { files: tree.files, command, contender, cpuMs: [], wallMs: [] }
          return { figure, words: words(place) }
        })
      // The first round brings files into memory, and is not counted.
      for (let round = 0; round <= setting.rounds; round++) {
        setting.say(`${tree.files} files, ${command}, round ${round}`)
        for (const { figure, words } of round % 2 === 0 ? row : row.toReversed()) {
          const { cpuMs, wallMs } = await measure(words)
          await Process.run(["sh", "-c", 'rm -rf "$1" "$1".*', "sh", place.target])
          if (round === 0) continue
          figure.cpuMs.push(cpuMs)
          figure.wallMs.push(wallMs)
        }
      }
      const measured = row.map(({ figure }) => figure)
      figures.push(...measured)
      const peer = measured.find(({ contender }) => contender === PEER)
      for (const figure of measured) print(lineOf(figure, peer))
    }
    fs.rmSync(place.tar)
  }
  return figures
}

const header = `| Files | Command | By | CPU ms | CPU/${PEER}: least | median | most | Time ms | Time/${PEER}: median | |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |`

const lineOf = (figure: Figure, peer: Figure | undefined): string => {
  const ratios = peer === undefined || peer === figure ? [] : Statistics.ratios(figure.cpuMs, peer.cpuMs)
  const times = peer === undefined || peer === figure ? [] : Statistics.ratios(figure.wallMs, peer.wallMs)
  const { least, median, most } = Statistics.spread(ratios)
  const cells = [
    String(figure.files),
    figure.command,
    figure.contender,
    number(Statistics.median(figure.cpuMs), 0),
    ...[least, median, most].map((ratio) => number(ratio, 2)),
    number(Statistics.median(figure.wallMs), 0),
    number(Statistics.median(times), 2),
    Statistics.isMeaningless(ratios) ? "too far apart to mean much" : "",
  ]
  return `| ${cells.join(" | ")} |`
}

const number = (value: number | undefined, digits: number): string =>
  value === undefined ? "–" : value.toFixed(digits)
