/**
 * Small drawings. They say nothing that is not said in words too.
 */
import type { JSX } from "preact"

const paths: Readonly<Record<string, string>> = {
  directory:
    "M2 4.5A1.5 1.5 0 0 1 3.5 3h3l1.5 2h5A1.5 1.5 0 0 1 14.5 6.5v5A1.5 1.5 0 0 1 13 13H3.5A1.5 1.5 0 0 1 2 11.500Z",
  file: "M4 2.500h5L12 5.500v8H4ZM9 2.500v3h3",
  symlink:
    "M6.500 9.500l3-3M7 5l1.500-1.500a2.500 2.500 0 0 1 3.500 3.500L10.500 8.500M9 11l-1.500 1.500a2.500 2.500 0 0 1-3.500-3.500L5.500 7.500",
  device: "M3 4h10v8H3ZM6 7h4v2H6Z",
  unreadable: "M8 2.500L14 13H2ZM8 6.500v3M8 11v.5",
  search: "M7 3a4 4 0 1 1 0 8a4 4 0 0 1 0-8ZM10 10l3.500 3.500",
  up: "M8 12.500v-9M4 7.500l4-4 4 4",
  earlier: "M10 3.500L5.500 8l4.500 4.500",
  later: "M6 3.500L10.500 8L6 12.500",
  close: "M4 4l8 8M12 4l-8 8",
  download: "M8 2.500v7.500M4.500 7L8 10.500L11.500 7M3 13h10",
  restore: "M3 8a5 5 0 1 1 1.500 3.500M3 12V8.500h3.500",
  copy: "M5.500 5.500v-3h8v8h-3M2.500 5.500h8v8h-8Z",
  key: "M10 3a3 3 0 1 1-2.300 5L4 11.700V13H2.500v-2L7.200 6.300A3 3 0 0 1 10 3Z",
  help: "M6 6a2 2 0 1 1 3 1.700c-.7.400-1 .800-1 1.500M8 11.500v.3",
  leave: "M9.500 5V3h-6.500v10h6.500v-2M6.500 8h7M11 5.500L13.500 8L11 10.500",
  archive: "M2.500 3h11v3h-11ZM3.500 6v7h9V6M6.500 8.500h3",
}

export const Icon = ({ name }: { readonly name: string }): JSX.Element => (
  <svg class={`icon icon-${name}`} viewBox="0 0 16 16" aria-hidden="true">
    <path d={paths[name] ?? paths["device"]} />
  </svg>
)

/** That of a kind of entry. */
export const kindIcon = (kind: string): string => (paths[kind] === undefined ? "device" : kind)
