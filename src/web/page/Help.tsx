/**
 * The keys.
 */
import type { JSX } from "preact"
import { Dialog } from "./Dialog.tsx"
import * as Keys from "./Keys.ts"

interface Props {
  readonly version: string
  /** What is there: keys that need something else are not told. */
  readonly has: Readonly<Record<NonNullable<Keys.Binding["needs"]>, boolean>>
  readonly onClose: () => void
}

export const Help = ({ has, onClose, version }: Props): JSX.Element => (
  <Dialog title="Keys" onClose={onClose}>
    <dl class="keys">
      {Keys.bindings
        .filter(({ needs }) => needs === undefined || has[needs])
        .map(({ keys, meaning }) => (
          <div key={keys}>
            <dt>
              {keys.split(" ").map((key) => (
                <kbd key={key}>{key.replace(",", "")}</kbd>
              ))}
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
    </dl>
    <p class="id">pxar-fuse {version}</p>
  </Dialog>
)
