/**
 * What the API answers instead of a result: a status, the stable id of the error (docs/errors.md) and a sentence.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const fields = { id: Schema.String, message: Schema.String }

/** There is nothing at that path, or no such repository or job. */
export class NotFound extends Schema.TaggedError<NotFound>()("NotFound", fields, { httpApiStatus: 404 }) {}

/** What was asked for makes no sense: a file as a folder, a cursor of somebody else's. */
export class BadRequest extends Schema.TaggedError<BadRequest>()("BadRequest", fields, { httpApiStatus: 400 }) {}

/** This server does not do that. */
export class Forbidden extends Schema.TaggedError<Forbidden>()("Forbidden", fields, { httpApiStatus: 403 }) {}

/** Too much at once. */
export class Busy extends Schema.TaggedError<Busy>()("Busy", fields, { httpApiStatus: 503 }) {}

/** It is damaged, or its key is not at hand. */
export class Unreadable extends Schema.TaggedError<Unreadable>()("Unreadable", fields, { httpApiStatus: 500 }) {}

/** Any of them. */
export type ApiError = NotFound | BadRequest | Forbidden | Busy | Unreadable

/** All of them, as endpoints declare them. */
export const all = [NotFound, BadRequest, Forbidden, Busy, Unreadable] as const

/** An error of the library. */
interface Known {
  readonly _tag: string
  readonly id: string
  readonly message: string
}

/** The answer that an error of the library becomes. */
export const fromError = ({ _tag, id, message }: Known): ApiError => {
  if (id === "PXF-PATH-NOT-FOUND" || id === "PXF-REPOSITORY-NOT-FOUND") return new NotFound({ id, message })
  if (_tag === "PathError" || _tag === "SelectionError") return new BadRequest({ id, message })
  return new Unreadable({ id, message })
}

/** Turns errors of the library into answers. */
export const orAnswer = <A, R>(effect: Effect.Effect<A, Known, R>): Effect.Effect<A, ApiError, R> =>
  Effect.mapError(effect, fromError)
