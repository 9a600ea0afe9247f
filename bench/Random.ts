/**
 * Numbers that look random and are the same in every run, so that all contenders and all days get the same work.
 *
 * Not for anything that must not be guessed.
 */
export interface Random {
  /** A number in `[0, 1)`. */
  readonly next: () => number
  /** A whole number in `[0, bound)`. */
  readonly below: (bound: number) => number
  /** The items in another order. */
  readonly shuffle: <A>(items: ReadonlyArray<A>) => Array<A>
}

/** The sequence of a seed (mulberry32). */
export const make = (seed: number): Random => {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
  const below = (bound: number): number => Math.floor(next() * bound)
  return {
    next,
    below,
    shuffle: (items) => {
      const shuffled = [...items]
      for (let last = shuffled.length - 1; last > 0; last--) {
        const other = below(last + 1)
        const held = shuffled[last] as (typeof shuffled)[number]
        shuffled[last] = shuffled[other] as (typeof shuffled)[number]
        shuffled[other] = held
      }
      return shuffled
    },
  }
}
