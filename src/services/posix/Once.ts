/**
 * What is made when it is first asked for, and then kept: bindings to libraries, which nothing may load at import.
 */

/** `make`, called once; one that throws is called again. */
export const once = <A>(make: () => A): (() => A) => {
  let made: { readonly value: A } | undefined
  return () => (made ??= { value: make() }).value
}
