/**
 * `npm run recordings`: what `browse` looks like, as pictures that move, in `docs/pictures`: the real command in a real
 * terminal (tmux), with an archive and keys that are always the same. Build the command first.
 */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Datastores from "../../test/support/Datastores.ts"
import * as TerminalScreen from "../../test/support/TerminalScreen.ts"
import * as Animation from "./Animation.ts"

const root = path.join(import.meta.dirname, "../..")
const [COLUMNS, ROWS, SECONDS] = [92, 18, 2.2]

interface Step {
  /** As tmux calls them. */
  readonly keys: ReadonlyArray<string>
  readonly caption: string
  /** What is on the screen then. */
  readonly shows: ReadonlyArray<string>
}

const step = (caption: string, keys: ReadonlyArray<string>, ...shows: ReadonlyArray<string>): Step => ({
  keys,
  caption,
  shows,
})

/** Goes through the steps and writes the picture. */
const record = (name: string, cwd: string, args: ReadonlyArray<string>, steps: ReadonlyArray<Step>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const screen = yield* TerminalScreen.start(["browse", ...args], { columns: COLUMNS, rows: ROWS, cwd })
      const frames: Array<Animation.Frame> = []
      for (const { caption, keys, shows } of steps) {
        yield* screen.press(...keys)
        yield* screen.shows(...shows)
        frames.push({ caption, lines: yield* screen.styled })
      }
      const picture = Animation.make(frames, COLUMNS, ROWS, SECONDS)
      fs.writeFileSync(path.join(root, "docs/pictures", `${name}.svg`), picture)
    }),
  )

/** The files of a small machine, all of one time. */
const files: Readonly<Record<string, string>> = {
  "etc/fstab": "UUID=1c9e  /      ext4  defaults  0  1\nUUID=77ab  /home  ext4  defaults  0  2\n",
  "etc/hostname": "elsa\n",
  "etc/hosts": "127.0.0.1  localhost\n192.0.2.7  elsa\n",
  "etc/ssh/sshd_config": "PermitRootLogin no\nPasswordAuthentication no\n",
  "home/ada/letter.txt":
    "Dear Charles,\n\nthe engine weaves algebraical patterns\njust as the loom weaves flowers and leaves.\n",
  "home/ada/notes.txt": "Note G: the numbers of Bernoulli\n",
  "srv/www/index.html": "<!doctype html>\n<title>elsa</title>\n",
}

const makeArchive = (folder: string): void => {
  const source = path.join(folder, "source")
  for (const [file, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(source, file)), { recursive: true })
    fs.writeFileSync(path.join(source, file), text)
  }
  for (const entry of [".", ...fs.readdirSync(source, { recursive: true, encoding: "utf8" })]) {
    fs.utimesSync(path.join(source, entry), 1_772_532_000, 1_772_532_000)
  }
  execFileSync(process.execPath, [path.join(root, "dist/cli/main.js"), "create", "root.pxar", source], { cwd: folder })
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pxar-fuse-recordings-"))
try {
  makeArchive(folder)
  fs.symlinkSync(Datastores.store("datastore-plain"), path.join(folder, "store"))
  await Effect.runPromise(
    record(
      "browse-archive",
      folder,
      ["root.pxar"],
      [
        step("pxar-fuse browse root.pxar", [], "> etc/"),
        step("↓  the next one", ["Down"], "> home/"),
        step("→  into a folder", ["Right"], "> ada/"),
        step("→  and once more: what is in a file stands beside it", ["Right"], "> letter.txt", "Dear Charles"),
        step("i  all attributes", ["i"], "letter.txt"),
        step("Esc  back", ["Escape"], "> letter.txt", "Dear Charles"),
        step("Space  marks it", ["Space"], "*letter.txt"),
        step("x  where should it go?", ["x"], "letter"),
      ],
    ),
  )
} finally {
  fs.rmSync(folder, { recursive: true })
}
