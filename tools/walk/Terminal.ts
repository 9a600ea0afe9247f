/**
 * A shell for a walk: a machine's root as it sees itself, with nothing in /mnt, /srv, /root and /run, and `pxar-fuse` on its path.
 * All of this is in a namespace of its own and gone with it: mounts and processes, too.
 */
import { spawnSync } from "node:child_process"

export interface Step {
  /** What is typed. */
  readonly command: string
  /** What is seen: both outputs, as a terminal mixes them, and the exit code if it is not 0. */
  readonly seen: string
  readonly seconds: number
}

const LINE = "====="

/** The whole machine as it was, and a folder for the command: in a `/run` of the namespace's own. */
const MACHINE = "/run/machine"
const OWN = "/run/own"

/** What differs from run to run and says nothing, and what is only so where there is no log of the system. */
const settled = (seen: string): string =>
  seen
    .replaceAll("\r", "")
    .replaceAll(/^pxar-fuse: no \/dev\/log here.*\n/gm, "")
    .replaceAll(/by process \d+/g, "by process 4711")
    .replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1:8017")
    .replaceAll(/token=[\w-]+/g, "token=…")

/** All that the commands know of whoever runs this. */
const ENVIRONMENT = {
  PATH: `${OWN}:/usr/sbin:/usr/bin:/sbin:/bin`,
  HOME: "/root",
  // script(1) runs it, and where there is none, as in a service, sh, which knows no jobs.
  SHELL: "/bin/bash",
  TZ: "UTC",
  LC_ALL: "C.UTF-8",
  NO_COLOR: "1",
}

/** Runs commands one after the other, after a script that makes ready what they need. Root only. */
export const run = (
  main: string,
  ready: (machine: string) => string,
  commands: ReadonlyArray<string>,
): ReadonlyArray<Step> => {
  const quoted = (word: string) => `'${word.replaceAll("'", String.raw`'\''`)}'`
  const command = `#!/bin/sh\nexec ${quoted(`${MACHINE}${process.execPath}`)} ${quoted(`${MACHINE}${main}`)} "$@"`
  const script = [
    "set -e",
    "mount -t proc proc /proc",
    // This source and its Node may be where nothing is to be seen.
    `mount -t tmpfs -o mode=0755 tmpfs /run; mkdir ${MACHINE} ${OWN}; mount --rbind / ${MACHINE}`,
    "for place in /mnt /srv /root; do mount -t tmpfs tmpfs $place; done",
    `printf '%s\n' ${quoted(command)} >${OWN}/pxar-fuse; chmod 755 ${OWN}/pxar-fuse`,
    "cd /root",
    ready(MACHINE),
    "set +e",
    ...commands.flatMap((command) => [
      `date +%s.%N; script -qec ${quoted(command)} /dev/null </dev/null; code=$?; date +%s.%N; echo "$code ${LINE}"`,
    ]),
  ].join("\n")
  const { error, status, stderr, stdout } = spawnSync(
    "unshare",
    ["--mount", "--propagation=private", "--pid", "--fork", "--kill-child", "bash", "-c", script],
    { encoding: "utf8", env: ENVIRONMENT, timeout: 300_000 },
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
}
