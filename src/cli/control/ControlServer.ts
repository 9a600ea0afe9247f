/**
 * The control socket of the process that serves a mount: whoever connects is told the `MountReport`, and sees the
 * connection close when the process has ended. It takes no commands.
 */
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ControlFolder from "./ControlFolder.ts"

/** Listens while the scope lives; `report` is one line. Fails with the reason why it cannot. */
export const listen = Effect.fnUntraced(function* (
  report: Effect.Effect<string>,
): Effect.fn.Return<void, string, Scope.Scope> {
  const socket = path.join(yield* ControlFolder.writable, `${process.pid}.sock`)
  const run = Effect.runForkWith(yield* Effect.context<never>())
  yield* Effect.acquireRelease(
    Effect.callback<net.Server, string>((resume) => {
      const server = net.createServer((connection) => {
        // Whoever has connected does not keep this process alive, nor can he disturb it.
        connection.unref().on("error", () => {})
        run(Effect.map(report, (line) => void connection.write(line)))
      })
      server.on("error", (error) => resume(Effect.fail(error.message)))
      // One of that name belongs to a process that has ended: this one has its number now.
      fs.rmSync(socket, { force: true })
      server.listen(socket, () => resume(Effect.succeed(server.unref())))
    }),
    // Open connections last until the process ends.
    (server) => Effect.sync(() => void server.close()),
  )
})
