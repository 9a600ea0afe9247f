/**
 * A shell for a walk: a machine's root as it sees itself, with nothing in /mnt, /srv and /root, and `pxar-fuse` on its path. All of
 * this is in a namespace of its own and gone with it: mounts and processes, too.
 */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"

export interface Step {
  /** What is typed. */
  readonly command: string
  /** What is seen: both outputs, as a terminal mixes them, and the exit code if it is not 0. */
  readonly seen: string
  readonly seconds: number
}

const LINE = "====="

/** What differs from run to run and says nothing, and what is only so where there is no log of the system. */
const settled = (seen: string): string =>
  seen
    .replaceAll("\r", "")
    .replaceAll(/^pxar-fuse: no \/dev\/log here.*\n/gm, "")
    .replaceAll(/by process \d+/g, "by process 4711")
    .replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1:8017")
    .replaceAll(/token=[\w-]+/g, "token=…")

/** Runs commands one after the other, after a script that makes ready what they need. Root only. */
export const run = (main: string, ready: string, commands: ReadonlyArray<string>): ReadonlyArray<Step> => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pxar-fuse-walk-"))
  try {
    fs.writeFileSync(path.join(folder, "pxar-fuse"), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`, {
      mode: 0o755,
    })
    const quoted = (word: string) => `'${word.replaceAll("'", String.raw`'\''`)}'`
    const script = [
      "set -e",
      "mount -t proc proc /proc",
      "for place in /mnt /srv /root; do mount -t tmpfs tmpfs $place; done",
      "mkdir -p /run/pxar-fuse; mount -t tmpfs tmpfs /run/pxar-fuse",
      // script(1) runs $SHELL, and where there is none, as in a service, sh, which knows no jobs.
      `export SHELL=/bin/bash HOME=/root TZ=UTC LC_ALL=C.UTF-8 NO_COLOR=1 PATH=${quoted(folder)}:/usr/sbin:/usr/bin:/sbin:/bin`,
      "cd /root",
      ready,
      "set +e",
      ...commands.flatMap((command) => [
        `date +%s.%N; script -qec ${quoted(command)} /dev/null </dev/null; code=$?; date +%s.%N; echo "$code ${LINE}"`,
      ]),
    ].join("\n")
    const { error, status, stderr, stdout } = spawnSync(
      "unshare",
      ["--mount", "--propagation=private", "--pid", "--fork", "--kill-child", "bash", "-c", script],
      { encoding: "utf8", timeout: 300_000 },
    )
    if (error !== undefined) throw error
    if (status !== 0) throw new Error(`ends with ${status}: ${stdout}${stderr}`)
    const parts = stdout.split(` ${LINE}\n`).slice(0, -1)
    if (parts.length !== commands.length)
      throw new Error(`${parts.length} steps of ${commands.length}: ${stdout}${stderr}`)
    return commands.map((command, index) => {
      const lines = (parts[index] ?? "").split("\n")
      const [start, end, code] = [lines[0], lines.at(-2), lines.at(-1)]
      const seen = settled(`${lines.slice(1, -2).join("\n")}\n`).trimEnd()
      const ended = code === "0" ? "" : `${seen === "" ? "" : "\n"}[exit code ${code}]`
      return { command, seen: `${seen}${ended}`, seconds: Number(end) - Number(start) }
    })
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
}
