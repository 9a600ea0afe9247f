/** What is made once for all tests of a file or block, and ends with them: a server that takes long to start. */
import { afterAll, beforeAll } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"

/** Makes it before the first test of the block that this is called in. */
export const shared = <A>(make: Effect.Effect<A, never, Scope.Scope>, patience = 120_000): Effect.Effect<A> => {
  const scope = Scope.makeUnsafe()
  let made: { readonly value: A } | undefined
  beforeAll(async () => {
    made = { value: await Effect.runPromise(Scope.provide(make, scope)) }
  }, patience)
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  return Effect.suspend(() =>
    made === undefined ? Effect.die(new Error("it could not be made")) : Effect.succeed(made.value),
  )
}
