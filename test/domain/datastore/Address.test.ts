import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as Bytes from "../../../src/domain/Bytes.ts"
import * as Address from "../../../src/domain/datastore/Address.ts"
import * as Filter from "../../../src/domain/datastore/Filter.ts"
import * as Reference from "../../../src/domain/datastore/Reference.ts"
import * as RepositoryString from "../../../src/domain/datastore/RepositoryString.ts"
import * as SnapshotId from "../../../src/domain/datastore/SnapshotId.ts"
import { anyReference, anyRepository, anySnapshotId } from "./arbitraries.ts"

const NOTHING = { whole: false, location: false }
const parse = (text: string, existing = NOTHING) => Result.getOrThrow(Address.parse(text, existing))
const error = (text: string) =>
  Result.match(Address.parse(text, NOTHING), { onSuccess: () => undefined, onFailure: (e) => e })

describe("Address", () => {
  it("is a path where one exists, whatever it looks like", () => {
    const existing = { whole: true, location: true }
    for (const path of ["x.pxar", "a::b", "https:", "host:store", "place:x"]) {
      assert.deepStrictEqual(parse(path, existing), { _tag: "Path", path, reference: undefined })
    }
  })

  it("is a datastore and a reference where the part before `::` exists", () => {
    const address = parse("/mnt/store::host/elsa/latest/root.pxar/etc", { whole: false, location: true })
    assert.deepStrictEqual(address, {
      _tag: "Path",
      path: "/mnt/store",
      reference: {
        namespace: [],
        type: "host",
        id: "elsa",
        time: "latest",
        archive: "root.pxar",
        path: Bytes.fromText("etc"),
      },
    })
  })

  it("is a path where nothing exists and nothing looks like a repository", () => {
    for (const path of ["missing.pxar", "/mnt/with:colon", "./a:b", "../x:y"]) {
      assert.deepStrictEqual(parse(path), { _tag: "Path", path, reference: undefined })
    }
  })

  it.each(["https", "s3", "pbs", "place"] as const)("knows the scheme %s", (scheme) => {
    const address = parse(`${scheme}://there/x::host/a`)
    assert.strictEqual(address._tag, "Remote")
    if (address._tag !== "Remote") return
    assert.deepStrictEqual(
      [address.scheme, address.location, address.reference?.id],
      [scheme, `${scheme}://there/x`, "a"],
    )
  })

  it("is a repository of the reference client, whose brackets hide no reference", () => {
    const address = parse("u@pbs!tok@[::1]:8008:tank::ns/a/vm/100/2026-03")
    assert.deepStrictEqual(address, {
      _tag: "Server",
      repository: { authId: "u@pbs!tok", host: "[::1]", port: 8008, datastore: "tank" },
      reference: { ...Reference.whole, namespace: ["a"], type: "vm", id: "100", time: "2026-03" },
    })
  })

  it("says which part is wrong", () => {
    assert.strictEqual(error("host_x:tank")?.part, "location")
    assert.strictEqual(error("::host/a")?.part, "location")
    assert.strictEqual(error("")?.part, "location")
    assert.strictEqual(error("host:tank::lxc/1")?.part, "reference")
  })

  it.prop("is read as it is written", [anyRepository, anyReference], ([repository, reference]) => {
    const address: Address.Address = { _tag: "Server", repository, reference }
    assert.deepStrictEqual(parse(Address.format(address)), address)
  })

  it.prop("answers any text with an address or an error", [Schema.String, Schema.Boolean], ([text, location]) => {
    const parsed = Address.parse(text, { whole: false, location })
    if (Result.isFailure(parsed)) assert.strictEqual(parsed.failure.text, text)
    else if (parsed.success._tag === "Path") assert.isTrue(text.startsWith(parsed.success.path))
  })
})

describe("RepositoryString", () => {
  it.each([
    ["tank", "root@pam@localhost:8007:tank"],
    ["pbs.example:tank", "root@pam@pbs.example:8007:tank"],
    ["u@pbs@10.0.0.1:tank", "u@pbs@10.0.0.1:8007:tank"],
    ["8008:tank", "root@pam@8008:8007:tank"],
  ])("reads %s", (text, whole) => {
    assert.strictEqual(RepositoryString.format(Result.getOrThrow(RepositoryString.parse(text))), whole)
  })

  it.each([
    "::1:tank",
    "host_x:tank",
    "https://h:tank",
    "u@pbs!tok@tank",
    "u @pbs@h:tank",
    "h:99999:tank",
    "h:",
    "h:ta nk",
    "",
  ])("refuses %s", (text) => assert.isTrue(Result.isFailure(RepositoryString.parse(text))))

  it.prop("is read as it is written", [anyRepository], ([repository]) => {
    assert.deepStrictEqual(Result.getOrThrow(RepositoryString.parse(RepositoryString.format(repository))), repository)
  })
})

describe("Reference", () => {
  it.prop("is read as it is written", [anyReference], ([reference]) => {
    assert.deepStrictEqual(Result.getOrThrow(Reference.parse(Reference.format(reference))), reference)
  })

  it("may end in a slash at any level", () => {
    for (const text of ["", "ns/a", "host", "host/elsa", "host/elsa/latest", "host/elsa/latest/root.pxar"]) {
      assert.deepStrictEqual(Reference.parse(`${text}/`), Reference.parse(text))
    }
  })

  it.each(["ns/", "2026", "2026-03", "2026-03-01T12", "2026-03-01T12:00:00Z"].slice(1))(
    "takes %s for a time",
    (time) => {
      assert.strictEqual(Result.getOrThrow(Reference.parse(`vm/100/${time}`)).time, time)
    },
  )

  it.each(["lxc/1", "host/..", "host/a/yesterday", "host/a/2026-3", "host/a/latest/..", "ns//host", "ns/../host/a"])(
    "refuses %s",
    (text) => assert.isTrue(Result.isFailure(Reference.parse(text))),
  )

  it.prop("never throws", [Schema.String], ([text]) => {
    Reference.parse(text)
  })
})

describe("Filter", () => {
  const snapshot = Result.getOrThrow(SnapshotId.parse("ns/a/host/web1/2026-03-01T12:00:00Z"))

  it.each([
    ["", true],
    ["ns/a", true],
    ["ns/a/host/web*", true],
    ["ns/*/h*t/*1", true],
    ["ns/a/host/web1/2026-03", true],
    ["ns/a/host/web1/2026-*T12", true],
    ["host", false],
    ["ns/a/host/web", false],
    ["ns/a/host/web1/2026-04", false],
    ["ns/a/host/web1/2026-03-01T12:00:00Z/root.pxar", false],
  ])("`%s` means the backup: %s", (text, wanted) => {
    assert.strictEqual(Filter.matches(Filter.parse(text), snapshot), wanted)
  })

  it("of many stars takes no time that matters", () => {
    const long = { ...snapshot, id: "a".repeat(200) }
    assert.isFalse(Filter.matches(Filter.parse(`ns/a/host/${"*a".repeat(100)}b`), long))
  })

  it.prop("means a backup by its own text, and by every beginning of it", [anySnapshotId], ([id]) => {
    const names = SnapshotId.format(id).split("/")
    for (let count = 0; count <= names.length; count++) {
      assert.isTrue(Filter.matches(Filter.parse(names.slice(0, count).join("/")), id))
    }
  })
})
