/**
 * A cable between two network namespaces: servers are at one end, clients at the other. Pulled, it takes what is sent and
 * nothing arrives (a blackhole route at the servers' end); nobody is told. Needs root and iproute2.
 */
import { Effect, type Scope } from "effect"
import * as Processes from "../support/Processes.ts"

export interface Cable {
  /** Address of the servers. */
  readonly host: string
  /** Words that start a program at the servers' end, and at the clients'. */
  readonly atServers: ReadonlyArray<string>
  readonly atClients: ReadonlyArray<string>
  readonly pull: Effect.Effect<void>
  readonly plugIn: Effect.Effect<void>
}

const [HOST, CLIENT] = ["10.213.7.2", "10.213.7.1"]

const ip = (...args: ReadonlyArray<string>): Effect.Effect<void> =>
  Effect.flatMap(Processes.run("ip", args), ({ code, stderr }) =>
    code === 0 ? Effect.void : Effect.die(new Error(`ip ${args.join(" ")}: ${stderr}`)),
  )

/** Lays a cable; it is taken away with the scope. */
export const lay: Effect.Effect<Cable, never, Scope.Scope> = Effect.gen(function* () {
  const [servers, clients] = [`pxar-s-${process.pid}`, `pxar-c-${process.pid}`]
  for (const name of [servers, clients])
    yield* Effect.acquireRelease(ip("netns", "add", name), () => Effect.ignore(ip("netns", "delete", name)))
  const [a, b] = [`pxs${process.pid}`, `pxc${process.pid}`]
  yield* ip("link", "add", a, "netns", servers, "type", "veth", "peer", "name", b, "netns", clients)
  for (const [name, link, address] of [
    [servers, a, HOST],
    [clients, b, CLIENT],
  ] as const) {
    yield* ip("-n", name, "address", "add", `${address}/24`, "dev", link)
    yield* ip("-n", name, "link", "set", link, "up")
    yield* ip("-n", name, "link", "set", "lo", "up")
  }
  const at = (name: string) => ["nsenter", `--net=/run/netns/${name}`, "--"]
  return {
    host: HOST,
    atServers: at(servers),
    atClients: at(clients),
    pull: ip("-n", servers, "route", "add", "blackhole", `${CLIENT}/32`),
    plugIn: ip("-n", servers, "route", "delete", "blackhole", `${CLIENT}/32`),
  }
})
