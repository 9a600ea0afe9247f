/**
 * What the browser's screen lacks: what is to be loaded next.
 *
 * Derived from the state and never asked for by events, so that what is loaded follows where the person looks.
 */
import * as Bytes from "../../domain/Bytes.ts"
import type * as TreeWalk from "../../services/tree/TreeWalk.ts"
import * as BrowseState from "./BrowseState.ts"
import type * as Difference from "./Difference.ts"
import * as Layout from "./Layout.ts"
import * as OpenFolder from "./OpenFolder.ts"
import type * as OtherBackup from "./OtherBackup.ts"

export type Want =
  | {
      readonly _tag: "OtherBackup"
      readonly key: string
      readonly folder: TreeWalk.Found
      readonly step: OtherBackup.Step
    }
  | { readonly _tag: "Difference"; readonly key: string; readonly pair: Difference.Pair }
  | { readonly _tag: "Contents"; readonly key: string; readonly folder: TreeWalk.Found }
  | {
      readonly _tag: "Items"
      readonly key: string
      readonly folder: TreeWalk.Found
      readonly slots: ReadonlyArray<readonly [number: number, slot: number]>
    }
  | { readonly _tag: "Preview"; readonly key: string; readonly item: TreeWalk.Found; readonly height: number }
  /** Nothing that is on the screen: names for a search. */
  | {
      readonly _tag: "Names"
      readonly key: string
      readonly folder: TreeWalk.Found
      readonly from: number
      readonly slots: Uint32Array
    }

/** Names read at once: a fraction of a second, even where reading is slow. */
const NAMES_AT_ONCE = 2048

/** What is to be loaded next. Wants with the same key are the same. */
export const wanted = (state: BrowseState.State): Want | undefined => {
  const shown = BrowseState.folder(state)
  const { found } = shown
  const { height, previewColumns } = Layout.of(state.size)
  const { compared, step } = state
  if (compared !== undefined) {
    return { _tag: "Difference", key: `difference ${compared.map(Bytes.toKey).join("\0")}`, pair: compared }
  }
  if (step !== undefined) {
    const key = typeof step === "number" ? `step ${step}` : `versions ${Bytes.toKey(step.versionsOf)}`
    return { _tag: "OtherBackup", key: `${key} ${found.node.id}`, folder: found, step }
  }
  if (shown.contents._tag === "Unknown") return { _tag: "Contents", key: `contents ${found.node.id}`, folder: found }
  const slots = OpenFolder.slots(shown)
  const missing = OpenFolder.onScreen(shown, height).filter((number) => !shown.items.has(number))
  if (missing.length > 0) {
    return {
      _tag: "Items",
      key: `items ${found.node.id}: ${missing.join(" ")}`,
      folder: found,
      slots: missing.map((number) => [number, slots[number] as number] as const),
    }
  }
  const item = BrowseState.current(state)
  if (item?._tag === "Found" && previewColumns > 0 && state.preview?.key !== BrowseState.previewKey(item)) {
    return { _tag: "Preview", key: BrowseState.previewKey(item), item, height }
  }
  const from = shown.names.length
  if (shown.search === undefined || from >= slots.length) return undefined
  return {
    _tag: "Names",
    key: `names ${found.node.id}: ${from}`,
    folder: found,
    from,
    slots: slots.subarray(from, from + NAMES_AT_ONCE),
  }
}
