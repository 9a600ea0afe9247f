/** Numbers that look random and are the same for the same seed, on every machine. */
export interface Random {
  /** An integer in `[0, limit)`. */
  readonly below: (limit: number) => number
  readonly pick: <A>(values: ReadonlyArray<A>) => A
  /** True once in `times`. */
  readonly once: (times: number) => boolean
  readonly bytes: (length: number) => Buffer
}

/** The generator of a seed, and of a case of that seed (splitmix32). */
export const make = (seed: number, index = 0): Random => {
  let state = (Math.imul(seed, 0x9e37_79b1) ^ Math.imul(index + 1, 0x85eb_ca6b)) >>> 0
  const word = (): number => {
    state = (state + 0x9e37_79b9) >>> 0
    let mixed = state ^ (state >>> 16)
    mixed = Math.imul(mixed, 0x21f0_aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a_2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }
  const below = (limit: number): number => Math.floor((word() / 2 ** 32) * limit)
  return {
    below,
    pick: (values) => {
      if (values.length === 0) throw new Error("nothing to pick from")
      return values[below(values.length)] as (typeof values)[number]
    },
    once: (times) => below(times) === 0,
    bytes: (length) => Buffer.from(Array.from({ length }, () => below(256))),
  }
}
