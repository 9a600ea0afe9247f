/**
 * The process of the command `pxar-fuse`: one that reads a command line, or one that such a process has started in the
 * background, and that loads nothing of command lines.
 */
import * as FastPath from "./fast/FastPath.ts"
import * as Parent from "./mount/Parent.ts"

/** The oldest Node that this runs on, as in package.json. */
const [OLDEST_MAJOR, OLDEST_MINOR] = [22, 19]

const main = async (): Promise<void> => {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
  if (major < OLDEST_MAJOR || (major === OLDEST_MAJOR && minor < OLDEST_MINOR)) {
    process.stderr.write(
      `pxar-fuse: needs Node ${OLDEST_MAJOR}.${OLDEST_MINOR} or newer, and this is ${process.version} (${process.execPath}): https://nodejs.org/en/download has a newer one\n`,
    )
    process.exit((await import("./ExitCode.ts")).UNSUPPORTED)
  }
  // A terminal that is closed ends the program as a shutdown does, and not in the middle of everything.
  process.on("SIGHUP", () => process.kill(process.pid, "SIGTERM"))
  const parent = Parent.take()
  if (parent === undefined) {
    if (!(await FastPath.run(process.argv.slice(2)))) (await import("./CommandLineProcess.ts")).run()
  } else if (parent.page) {
    await (await import("./CommandLineProcess.ts")).serveWithPage(parent)
  } else {
    ;(await import("./mount/ServerProcess.ts")).run(parent)
  }
}

void main()
