/**
 * The stable id of an error: what programs, scripts and questions of users can refer to, whatever the message says.
 *
 * `docs/errors.md` says what each means, its likely cause and what to do. An id is never given another meaning; two
 * failures have different ids where somebody would do something different about them. Every class of errors lists its
 * ids as `ids`, and each of its errors has one as `id`.
 */
export type ErrorId = `PXF-${string}`
