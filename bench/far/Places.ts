/**
 * Where the datastore of the benchmark is: on a web server, in a bucket, on a backup server; each a process of its own.
 */
import { ACCOUNT } from "../../test/support/Bucket.ts"
import * as BackupServer from "../../test/support/BackupServer.ts"

/** A kind of place. */
export interface Place {
  readonly name: string
  /** The program that serves a folder, before its folder. */
  readonly server: string
  /** Address of the datastore in a folder, behind a port of this machine. */
  readonly address: (port: string, folder: string) => string
  /** Variables that a command needs for it. */
  readonly env: (port: string) => Readonly<Record<string, string>>
  /** What is measured of it. */
  readonly workloads: ReadonlyArray<string>
}

const workloads = ["extract", "tar", "cp -r", "dd", "ls", "one file"]

/** Name of the folder that the datastore is in; it is the bucket's, too. */
export const STORE = "store"

/** None at all: the folder itself, to compare memory with. */
export const disk: Place = {
  name: "disk",
  server: "serverMain.ts",
  address: (_, folder) => folder,
  env: () => ({}),
  workloads: ["extract"],
}

/** A plain web server. */
export const web: Place = {
  name: "http",
  server: "serverMain.ts",
  address: (port) => `http://127.0.0.1:${port}/${STORE}/`,
  env: () => ({}),
  workloads,
}

/** All of them. */
export const places: ReadonlyArray<Place> = [
  web,
  {
    name: "s3",
    server: "serverMain.ts",
    address: () => `s3://${STORE}`,
    env: (port) => ({
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}`,
      AWS_ACCESS_KEY_ID: ACCOUNT.accessKey,
      AWS_SECRET_ACCESS_KEY: ACCOUNT.secretKey,
    }),
    workloads,
  },
  {
    name: "pbs",
    server: "backupServerMain.ts",
    address: (port) => `pbs://${BackupServer.TOKEN}@127.0.0.1:${port}/${BackupServer.DATASTORE}`,
    env: () => ({ PBS_PASSWORD: BackupServer.SECRET, PBS_FINGERPRINT: BackupServer.fingerprint }),
    workloads,
  },
]
