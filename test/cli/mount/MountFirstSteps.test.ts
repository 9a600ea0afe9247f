/**
 * The README's transcript, typed in: from `--help` alone to a mounted archive and a restored file.
 *
 * On a terminal, with folders of the test's own for /mnt and /srv.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Command from "../../support/Command.ts"
import * as Processes from "../../support/Processes.ts"
import * as PseudoTerminal from "../../support/PseudoTerminal.ts"
import { need } from "../../support/Requirements.ts"
import { run } from "../reading.ts"

const readme = fs.readFileSync(path.join(import.meta.dirname, "../../../README.md"), "utf8")
const transcript = /```console\n(\$ pxar-fuse mount .*?)```/s.exec(readme)?.[1] ?? ""
const commands = [...transcript.matchAll(/^\$ (.*)$/gm)].map(([, command]) => command!)

const ada = { uid: 1000, gid: 1000, seconds: Date.UTC(2026, 2, 3, 10) / 1000 }

const letter = B.file("letter.txt", "Dear Charles", {
  head: B.entry({ ...ada, mode: 0o100640, seconds: ada.seconds - 60, nanos: 7 }),
})

const archive = B.build({
  children: [B.folder("home", [B.folder("ada", [letter], B.entry({ ...ada, mode: 0o40755 }))])],
})

describe("the first steps", () => {
  beforeEach(need({ mount: true, root: true, tools: ["script", "umount"] }))

  it.live("in the README are those that --help shows", () =>
    Effect.gen(function* () {
      const help = (yield* run(["--help"])).stdout.toString()
      const examples = help.slice(help.indexOf("EXAMPLES"), help.indexOf("EXIT CODES"))
      const shown = examples.split("\n").filter((line) => /^ {2}[^# ]/.test(line))
      assert.isAbove(shown.length, 3)
      assert.deepStrictEqual(
        shown.map((line) => line.trim()),
        commands.filter((command) => !command.startsWith("stat ")),
      )
    }),
  )

  it.live("lead to what the README shows", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      for (const name of ["bin", "mnt", "srv", "home"]) fs.mkdirSync(path.join(folder, name))
      fs.writeFileSync(path.join(folder, "root.pxar"), archive.bytes)
      fs.writeFileSync(
        path.join(folder, "bin", "pxar-fuse"),
        `#!/bin/sh\nexec '${process.execPath}' '${Command.MAIN}' "$@"\n`,
        { mode: 0o755 },
      )
      const here = (command: string) => command.replaceAll("/mnt", `${folder}/mnt`).replaceAll("/srv", `${folder}/srv`)
      const script = commands.flatMap((command) => [`echo '$' ${quoted(command)}`, here(command)]).join("\n")
      const terminal = yield* PseudoTerminal.start(["sh", "-c", script], {
        cwd: folder,
        columns: 200,
        env: { PATH: `${folder}/bin:${process.env["PATH"]}`, HOME: path.join(folder, "home"), TZ: "UTC" },
      })
      yield* terminal.ended
      const screen = terminal
        .screen()
        .replaceAll("\r\n", "\n")
        .replaceAll(`${folder}/mnt`, "/mnt")
        // A machine without syslog.
        .replace(/^pxar-fuse: no \/dev\/log.*\n/m, "")
        .replace(/by process \d+/, "by process 4711")
      assert.strictEqual(screen, transcript)
    }),
  )
})

const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`
