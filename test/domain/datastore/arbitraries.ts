/** Backups, references and repositories for properties: each value one that the grammar allows. */
import { Arbitrary, Schema } from "effect"
import type { Reference } from "../../../src/domain/datastore/Reference.ts"
import type { RepositoryString } from "../../../src/domain/datastore/RepositoryString.ts"
import * as SnapshotId from "../../../src/domain/datastore/SnapshotId.ts"
import * as Bytes from "../../../src/domain/Bytes.ts"

const text = (pattern: RegExp) => Schema.String.pipe(Schema.check(Schema.isPattern(pattern)))
const integer = (minimum: number, maximum: number) =>
  Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum, maximum })))

export const SafeId = text(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,8}$/)
const anyType = Arbitrary.schema(Schema.Literals(["vm", "ct", "host"]))
const anyNamespace = Arbitrary.array(Arbitrary.schema(SafeId), { maxLength: 7 })
// The years 1970 to 9999.
const anyTime = Arbitrary.map(Arbitrary.schema(integer(0, 253_402_300_799)), SnapshotId.fromEpoch)

export const anySnapshotId: Arbitrary.Arbitrary<SnapshotId.SnapshotId> = Arbitrary.map(
  Arbitrary.all([anyNamespace, anyType, Arbitrary.schema(SafeId), anyTime] as const),
  ([namespace, type, id, time]) => ({ namespace, type, id, time }),
)

/** References of any depth. */
export const anyReference: Arbitrary.Arbitrary<Reference> = Arbitrary.map(
  Arbitrary.all([
    anySnapshotId,
    Arbitrary.schema(integer(0, 5)),
    Arbitrary.schema(integer(0, 20)),
    Arbitrary.schema(SafeId),
    Arbitrary.array(Arbitrary.schema(integer(1, 255)), { minLength: 1, maxLength: 8 }),
  ] as const),
  ([{ id, namespace, time, type }, depth, cut, archive, path]) => ({
    namespace,
    type: depth > 0 ? type : undefined,
    id: depth > 1 ? id : undefined,
    time: depth > 2 ? (cut === 0 ? "latest" : time.slice(0, cut)) : undefined,
    archive: depth > 3 ? archive : undefined,
    path: depth > 4 ? Bytes.concat([Uint8Array.of(0x61), Uint8Array.from(path)]) : Bytes.empty,
  }),
)

export const anyRepository: Arbitrary.Arbitrary<RepositoryString> = Arbitrary.map(
  Arbitrary.all([
    Arbitrary.schema(text(/^[a-z!@.]{1,6}$/)),
    Arbitrary.schema(SafeId),
    Arbitrary.schema(Schema.Boolean),
    Arbitrary.schema(
      Schema.Literals(["localhost", "pbs.example", "10.0.0.1", "[::1]", "[fe80::1:2]", "8008", "a-b.c"]),
    ),
    Arbitrary.schema(integer(0, 65_535)),
    Arbitrary.schema(SafeId),
  ] as const),
  ([user, realm, isToken, host, port, datastore]) => ({
    authId: `${user}@${realm}${isToken ? "!token" : ""}`,
    host,
    port,
    datastore,
  }),
)
