/**
 * The trees that are measured, with the archives and images made from them.
 *
 * Made once and kept: a tree is complete when its description stands beside it, and is made anew when the description
 * is another. Names, sizes and contents are the same everywhere.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Million from "./Million.ts"
import * as Process from "./Process.ts"
import * as Random from "./Random.ts"

export type TreeName = "small" | "ten thousand" | "thousand" | "wide" | "mail" | "big" | "mixed" | "million"

export interface Tree {
  readonly name: TreeName
  /** The folder itself. */
  readonly folder: string
  readonly files: number
  /** Files and folders, the root not counted. */
  readonly entries: number
  /** Bytes of all files. */
  readonly bytes: number
  /** Lists of paths below the folder, one a line. */
  readonly lists: { readonly all: string; readonly stat: string; readonly read: string }
  /** Archives and images: `undefined` for a tree that is not mounted. */
  readonly images: Images | undefined
}

export interface Images {
  readonly v1: string
  readonly v2: string | undefined
  readonly payload: string | undefined
  /** Missing without `mksquashfs`. */
  readonly squashfs: string | undefined
}

/** What is in a tree. */
interface Plan {
  readonly name: TreeName
  readonly version: number
  readonly folders: number
  readonly files: number
  /** Sizes of the small files, spread evenly over the orders of magnitude between. */
  readonly minBytes: number
  readonly maxBytes: number
  /** Every so many files one with an extended attribute; 0 for none. */
  readonly xattrEvery: number
  readonly bigFiles: ReadonlyArray<number>
  /** Paths in the lists of random paths. */
  readonly stat: number
  readonly read: number
  readonly mounted: boolean
}

const MIB = 1024 * 1024

const plans = (quick: boolean): ReadonlyArray<Plan> => {
  const plain = { version: 1, bigFiles: [], xattrEvery: 0, stat: 2000, read: 2000, mounted: true }
  const [minBytes, maxBytes] = [64, 64 * 1024]
  const tenth = quick ? 10 : 1
  return [
    {
      ...plain,
      name: "small",
      folders: 3000 / tenth,
      files: 100_000 / tenth,
      minBytes,
      maxBytes,
      xattrEvery: 4,
      stat: quick ? 5000 : 10_000,
      read: 5000,
    },
    // Of these a process sees the end while it is young.
    {
      ...plain,
      name: "ten thousand",
      folders: 300,
      files: 10_000,
      minBytes,
      maxBytes,
      xattrEvery: 4,
      stat: 5000,
      read: 5000,
    },
    { ...plain, name: "thousand", folders: 30, files: 1000, minBytes, maxBytes, xattrEvery: 4, stat: 1000, read: 1000 },
    { ...plain, name: "wide", folders: 1, files: quick ? 5000 : 20_000, minBytes: 10, maxBytes: 200 },
    { ...plain, name: "mail", folders: 50, files: 5000, minBytes: 4096, maxBytes: 40 * 1024, read: 5000 },
    { ...plain, name: "big", folders: 0, files: 0, minBytes, maxBytes, bigFiles: [quick ? 256 * MIB : 1024 * MIB] },
    {
      ...plain,
      name: "mixed",
      folders: 600 / tenth,
      files: 20_000 / tenth,
      minBytes,
      maxBytes,
      xattrEvery: 4,
      // Two GB in all; the third, of the size of the big tree's file, is that file.
      bigFiles: quick ? [64 * MIB, 64 * MIB] : [512 * MIB, 512 * MIB],
      mounted: false,
    },
  ]
}

export interface Settings {
  readonly directory: string
  readonly quick: boolean
  /** Runs the command `pxar-fuse`. */
  readonly program: ReadonlyArray<string>
  readonly say: (line: string) => void
}

/** A tree, made now if it is not there yet. */
export const get = async (name: TreeName, settings: Settings): Promise<Tree> => {
  if (name === "million") return getMillion(settings)
  const plan = plans(settings.quick).find((plan) => plan.name === name) as Plan
  // Its big file is one of the mixed tree's.
  if (name === "mixed") await get("big", settings)
  const directory = path.join(settings.directory, settings.quick ? "quick" : "full")
  const base = path.join(directory, name.replace(" ", "-"))
  const marker = `${base}.json`
  const squashfs = plan.mounted && (await Process.isThere("mksquashfs"))
  const description = JSON.stringify({ plan, squashfs })
  const made = fs.existsSync(marker) ? (JSON.parse(fs.readFileSync(marker, "utf8")) as Tree & Made) : undefined
  if (made?.description === description) return made
  settings.say(`making the tree ${base}`)
  for (const suffix of ["", ".json", ".pxar", ".mpxar", ".ppxar", ".squashfs", ".all", ".stat", ".read"]) {
    fs.rmSync(base + suffix, { recursive: true, force: true })
  }
  const contents = await fill(base, plan, path.join(directory, "big"))
  const tree: Tree & Made = {
    name,
    folder: base,
    ...contents,
    lists: writeLists(base, plan, contents.paths),
    images: plan.mounted ? await makeImages(base, squashfs, settings) : undefined,
    description,
  }
  fs.writeFileSync(marker, JSON.stringify({ ...tree, paths: undefined }))
  return tree
}

/** One that exists as an archive only. */
const getMillion = async ({ directory, say }: Settings): Promise<Tree> => {
  const file = path.join(directory, "million.pxar")
  if (!fs.existsSync(file)) {
    say(`making ${file}`)
    fs.rmSync(`${file}.part`, { force: true })
    await Million.write(`${file}.part`)
    fs.renameSync(`${file}.part`, file)
  }
  const files = Million.FOLDERS * Million.FILES_EACH
  return {
    name: "million",
    folder: "",
    files,
    entries: files + Million.FOLDERS,
    bytes: 0,
    lists: { all: "", stat: "", read: "" },
    images: { v1: file, v2: undefined, payload: undefined, squashfs: undefined },
  }
}

interface Made {
  readonly description: string
}

interface Contents {
  readonly files: number
  readonly entries: number
  readonly bytes: number
  readonly paths: ReadonlyArray<string>
}

const fill = async (base: string, plan: Plan, big: string): Promise<Contents> => {
  const random = Random.make(plan.files + plan.folders)
  const noise = makeNoise(random)
  const folders = makeFolders(base, plan)
  const paths: Array<string> = []
  let bytes = 0
  for (let index = 0; index < plan.files; index++) {
    const folder = folders[random.below(folders.length)] as string
    const file = path.join(folder, `${WORDS[random.below(WORDS.length)]}-${index.toString(36)}.${index % 7}`)
    const size = Math.floor(plan.minBytes * (plan.maxBytes / plan.minBytes) ** random.next())
    const start = random.below(noise.length - size)
    fs.writeFileSync(path.join(base, file), noise.subarray(start, start + size))
    paths.push(file)
    bytes += size
    // Signals are handled meanwhile.
    if (index % 1000 === 999) await new Promise(setImmediate)
  }
  const marked = plan.xattrEvery === 0 ? [] : paths.filter((_, index) => index % plan.xattrEvery === 0)
  if (marked.length > 0) await setAttributes(base, marked)
  for (const [index, size] of plan.bigFiles.entries()) {
    bytes += await writeBig(path.join(base, `big-${index}`), size)
    paths.push(`big-${index}`)
  }
  if (plan.name === "mixed") {
    fs.linkSync(path.join(big, "big-0"), path.join(base, "big-linked"))
    bytes += fs.statSync(path.join(base, "big-linked")).size
    paths.push("big-linked")
  }
  return { files: paths.length, entries: paths.length + folders.length, bytes, paths }
}

const WORDS = ["notes", "index", "a", "configuration", "README", "IMG_2041", "module.test", "x11", "letter to the bank"]

/** Folders in two levels, about sixty in each of the upper one. */
const makeFolders = (base: string, { folders }: Plan): ReadonlyArray<string> => {
  fs.mkdirSync(base, { recursive: true })
  const made: Array<string> = []
  const upper = Math.ceil(folders / 60)
  for (let index = 0; index < folders; index++) {
    const folder = index < upper ? `top${index}` : `top${index % upper}/folder-${index.toString(36)}`
    fs.mkdirSync(path.join(base, folder))
    made.push(folder)
  }
  return made
}

const setAttributes = async (base: string, files: ReadonlyArray<string>): Promise<void> => {
  if (!(await Process.isThere("setfattr"))) return
  const dump = `${base}.xattrs`
  const lines = files.map((file, index) => `# file: ${base}/${file}\nuser.bench="attribute ${index}"\n`)
  fs.writeFileSync(dump, lines.join("\n"))
  try {
    await Process.run(["setfattr", `--restore=${dump}`])
  } finally {
    fs.rmSync(dump)
  }
}

const makeNoise = (random: Random.Random): Uint8Array => {
  const words = new Uint32Array(MIB)
  for (let index = 0; index < words.length; index++) words[index] = random.below(0x1_0000_0000)
  return new Uint8Array(words.buffer)
}

/** A file that cannot be compressed, and has no two blocks that are the same. */
const writeBig = async (file: string, size: number): Promise<number> => {
  await Process.run(["sh", "-c", `head -c ${size} /dev/urandom > "$0"`, file])
  return size
}

const writeLists = (base: string, plan: Plan, paths: ReadonlyArray<string>): Tree["lists"] => {
  const random = Random.make(plan.files)
  const write = (suffix: string, list: ReadonlyArray<string>): string => {
    fs.writeFileSync(base + suffix, `${list.join("\n")}\n`)
    return base + suffix
  }
  return {
    all: write(".all", paths.toSorted()),
    stat: write(".stat", random.shuffle(paths).slice(0, plan.stat)),
    read: write(".read", random.shuffle(paths).slice(0, plan.read)),
  }
}

const makeImages = async (base: string, squashfs: boolean, settings: Settings): Promise<Images> => {
  const images = { v1: `${base}.pxar`, v2: `${base}.mpxar`, payload: `${base}.ppxar` }
  for (const archive of [images.v1, images.v2]) {
    settings.say(`making ${archive}`)
    await Process.run([...settings.program, "create", archive, base])
  }
  if (!squashfs) return { ...images, squashfs: undefined }
  const image = `${base}.squashfs`
  settings.say(`making ${image}`)
  const uncompressed = ["-noI", "-noD", "-noF", "-noX"]
  await Process.run(["mksquashfs", base, image, ...uncompressed, "-no-duplicates", "-no-progress", "-quiet"])
  return { ...images, squashfs: image }
}
