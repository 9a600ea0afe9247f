/**
 * What an error of any kind has to say. Not every error is an `Error`: those that are values have a message too.
 */
export const of = (error: unknown): string =>
  typeof error === "object" && error !== null && "message" in error ? String(error.message) : String(error)
