/**
 * `pxar-fuse serve [ADDRESS…]`: backups in a web browser, and over WebDAV.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Lazy from "../Lazy.ts"
import * as Parameters from "../Parameters.ts"
import * as RepositoryFlags from "../repository/RepositoryFlags.ts"

const text = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.withMetavar(metavar), Parameters.optional)

const parameters = {
  addresses: Argument.String("address").pipe(
    Argument.withDescription("What to serve: archives, folders of them, datastores, or something in one"),
    Argument.variadic(),
  ),
  listen: Flag.String("listen").pipe(
    Flag.withDescription("Where to listen; other addresses than loopback need TLS and a password"),
    Flag.withMetavar("HOST:PORT"),
    Flag.withDefault("127.0.0.1:8017"),
  ),
  open: Parameters.flag("open", "Open the page in the browser of this desktop"),
  allowRestore: text("allow-restore", "DIR", "Folder of this machine that the page may restore into"),
  webPasswordFile: text("web-password-file", "FILE", "File with the password in its first line, in place of a token"),
  tlsCert: text("tls-cert", "FILE", "Certificate with its chain, PEM"),
  tlsKey: text("tls-key", "FILE", "Key of the certificate, PEM"),
  payload: Parameters.payload,
  ...RepositoryFlags.flags,
  // In place of where chunks are: here it is what is given out.
  chunks: Flag.String("chunks").pipe(
    Flag.withDescription(
      "A datastore whose chunks and indexes are given out below /chunks/; may be given several times",
    ),
    Flag.withMetavar("ADDRESS"),
    Flag.atLeast(0),
  ),
  ...Parameters.messages,
}

export const command = Command.make(
  "serve",
  parameters,
  Lazy.handler(() => import("./ServeHandler.ts")),
).pipe(
  Command.withDescription("Show backups in a web browser, and over WebDAV"),
  Command.withExamples([
    { command: "pxar-fuse serve --open root.pxar", description: "Look around in a browser" },
    {
      command: "pxar-fuse serve --allow-restore /srv/restored /mnt/datastore",
      description: "All backups of a datastore, with restoring",
    },
    {
      command: "pxar-fuse serve --chunks /mnt/datastore",
      description: "Be a source for others: for mount, extract, --also and heal elsewhere",
    },
  ]),
)
