/** Addresses, credentials and signatures of buckets: the vectors are those that Amazon publishes for version 4 and S3. */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Result } from "effect"
import * as AwsProfile from "../../../src/services/s3/AwsProfile.ts"
import * as S3Credentials from "../../../src/services/s3/S3Credentials.ts"
import * as S3Place from "../../../src/services/s3/S3Place.ts"
import * as S3Signer from "../../../src/services/s3/S3Signer.ts"
import * as Processes from "../../support/Processes.ts"

describe("a place in a bucket", () => {
  it.each([
    ["s3://b-1/store", {}, "https://b-1.s3.us-east-1.amazonaws.com/store"],
    ["s3://b-1/store", { region: "eu-1" }, "https://b-1.s3.eu-1.amazonaws.com/store"],
    ["s3://b-1/store", { pathStyle: true }, "https://s3.us-east-1.amazonaws.com/b-1/store"],
    // A certificate for one name below the host is none for two.
    ["s3://b.1/store", {}, "https://s3.us-east-1.amazonaws.com/b.1/store"],
    ["s3://b-1/store/", { endpoint: "s3.example.org" }, "https://b-1.s3.example.org/store"],
    ["s3://b-1/store", { endpoint: "http://127.0.0.1:4568" }, "http://127.0.0.1:4568/b-1/store"],
    ["s3://b-1/store", { endpoint: "https://[::1]:9000/" }, "https://[::1]:9000/b-1/store"],
    ["s3://b-1/store", { endpoint: "https://h/below", pathStyle: true }, "https://h/below/b-1/store"],
    [
      "s3://b-1/store",
      { endpoint: "{{bucket}}.s3.{{region}}.example.org", region: "r" },
      "https://b-1.s3.r.example.org/store",
    ],
    ["s3://b-1/store", { endpoint: "{{bucket}}.h.org", pathStyle: true }, "https://h.org/b-1/store"],
  ])("%s with %o is at %s", (location, options, url) => {
    const place = Result.getOrThrow(S3Place.parse(location, options))
    assert.strictEqual(place.url(place.prefix), url)
  })

  it("has keys whose signs are escaped, but for slashes", () => {
    const place = Result.getOrThrow(S3Place.parse("s3://b-1", { endpoint: "http://127.0.0.1" }))
    assert.strictEqual(
      place.url("2025-06-15T15:06:40Z/a b+(c)'ä"),
      "http://127.0.0.1/b-1/2025-06-15T15%3A06%3A40Z/a%20b%2B%28c%29%27%C3%A4",
    )
  })

  it.each(["s3://", "s3:///x", "s3://a b/x", "s3:bucket"])("%s is none", (text) => {
    assert.isTrue(Result.isFailure(S3Place.parse(text)))
  })

  it("is refused with an endpoint that has a password, or is none", () => {
    for (const endpoint of ["https://u:p@h", "https://h?x=1", "https://"]) {
      assert.isTrue(Result.isFailure(S3Place.parse("s3://b-1", { endpoint })), endpoint)
    }
  })
})

describe("a signature", () => {
  const credentials = {
    accessKey: "AKIAIOSFODNN7EXAMPLE",
    secretKey: Redacted.make("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
  }
  const signatureOf = Effect.fnUntraced(function* (url: string) {
    const sign = S3Signer.make(credentials, "us-east-1", "20130524T000000Z")
    const headers = yield* Effect.promise(() => sign("GET", new URL(url), {}))
    assert.notInclude(JSON.stringify(headers), Redacted.value(credentials.secretKey))
    return headers["authorization"]
  })

  it.effect("is that of the published examples", () =>
    Effect.gen(function* () {
      const begin =
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature="
      assert.strictEqual(
        yield* signatureOf("https://examplebucket.s3.amazonaws.com/?lifecycle"),
        `${begin}fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543`,
      )
      assert.strictEqual(
        yield* signatureOf("https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J"),
        `${begin}34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7`,
      )
    }),
  )
})

describe("credentials", () => {
  it("are in sections by profile", () => {
    const text =
      "region = everywhere\n[default]\naws_access_key_id = A\n# aws_secret_access_key = no\n[profile other]\r\nAWS_ACCESS_KEY_ID=B=\r\ns3 =\n  endpoint_url = nested\n"
    assert.deepStrictEqual(AwsProfile.parse(text, "default"), { region: "everywhere", aws_access_key_id: "A" })
    assert.deepStrictEqual(AwsProfile.parse(text, "other"), { region: "everywhere", aws_access_key_id: "B=", s3: "" })
  })

  it.live("come from the file that is named, the environment, the files of Amazon's tools, or a program", () =>
    Effect.gen(function* () {
      const HOME = yield* Processes.temporaryFolder
      fs.mkdirSync(path.join(HOME, ".aws"))
      fs.writeFileSync(
        path.join(HOME, ".aws/credentials"),
        "[default]\naws_access_key_id=home\naws_secret_access_key=s\naws_session_token=t\n",
      )
      fs.writeFileSync(
        path.join(HOME, ".aws/config"),
        `[default]\nregion=r\nendpoint_url=https://e\n[profile program]\ncredential_process=echo '{"AccessKeyId":"printed","SecretAccessKey":"s"}'\n[profile broken]\ncredential_process=false\n`,
      )
      const file = path.join(HOME, "named")
      fs.writeFileSync(file, "aws_access_key_id=named\naws_secret_access_key=s\n")
      const key = (options: S3Credentials.Options) =>
        Effect.map(S3Credentials.find(options), ({ credentials }) => credentials?.accessKey)
      const environment = { AWS_ACCESS_KEY_ID: "variable", AWS_SECRET_ACCESS_KEY: "s" }
      assert.strictEqual(yield* key({ env: { HOME, ...environment }, file }), "named")
      assert.strictEqual(yield* key({ env: { HOME, ...environment } }), "variable")
      const found = yield* S3Credentials.find({ env: { HOME } })
      assert.deepStrictEqual([found.credentials?.accessKey, found.region, found.endpoint], ["home", "r", "https://e"])
      assert.strictEqual(Redacted.value(found.credentials!.sessionToken!), "t")
      assert.strictEqual(yield* key({ env: { HOME, AWS_PROFILE: "program" } }), "printed")
      assert.strictEqual(yield* key({ env: { HOME: "/nonexistent" } }), undefined)
      assert.include((yield* Effect.flip(key({ env: { HOME, AWS_PROFILE: "broken" } }))).message, "credential_process")
      assert.include((yield* Effect.flip(key({ env: { HOME }, file: "/nonexistent/file" }))).message, "ENOENT")
    }),
  )
})
