/**
 * What an error of any kind has to say. Not every error is an `Error`: those that are values have a message too.
 */
export const of = (error: unknown): string =>
  typeof error === "object" && error !== null && "message" in error ? String(error.message) : String(error)

/** The same, with the stable id of the error, if it has one: docs/errors.md says more under it. */
export const withId = (error: unknown): string =>
  typeof error === "object" && error !== null && "id" in error && typeof error.id === "string"
    ? `${of(error)} [${error.id}]`
    : of(error)
