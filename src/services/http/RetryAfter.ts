/** How long a server asks to be left alone for (RFC 9110 §10.2.3). */

/** Milliseconds that a `Retry-After` names, as seconds or as a date; `undefined` if there is none, or it names nothing. */
export const parse = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now())
}
