/**
 * The flag that chooses what speaks to the kernel.
 */
import * as Flag from "effect/cli/Flag"
import type { TransportChoice } from "../../fuse/Mount.ts"

export const flags = {
  transport: Flag.Literals("transport", [
    "kernel",
    "fuse-native",
    "auto",
  ] satisfies ReadonlyArray<TransportChoice>).pipe(
    Flag.withAlias("bridge"),
    Flag.withDescription(
      "What speaks to the kernel: this program, or libfuse 2 through the package fuse-native, which shows less; auto takes the first that can mount, and says which",
    ),
    Flag.withDefault("kernel"),
  ),
}
