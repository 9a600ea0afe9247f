/**
 * A dialog over the page: Esc closes it, and the focus goes back to where it was.
 */
import type { ComponentChildren, JSX } from "preact"
import { useEffect, useId, useRef } from "preact/hooks"
import { Icon } from "./Icons.tsx"

interface Props {
  readonly title: string
  readonly onClose: () => void
  readonly children: ComponentChildren
  readonly wide?: boolean
}

export const Dialog = ({ children, onClose, title, wide = false }: Props): JSX.Element => {
  const ref = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const before = document.activeElement
    ref.current?.showModal()
    // The focus may be nowhere: what had it can be gone.
    const press = ({ key }: KeyboardEvent): void => {
      if (key === "Escape") onClose()
    }
    document.addEventListener("keydown", press)
    return () => {
      document.removeEventListener("keydown", press)
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])
  return (
    <dialog ref={ref} class={wide ? "wide" : ""} aria-labelledby={id} onClose={onClose}>
      <header>
        <h2 id={id}>{title}</h2>
        <button type="button" class="quiet" aria-label="Close" onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      {children}
    </dialog>
  )
}
