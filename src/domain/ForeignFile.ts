/**
 * Files that people take for archives, by their first bytes: what they are, and what to do with them.
 *
 * The magic numbers of Proxmox Backup are those of datastore §2.1, the others those of file(1).
 */

/** Bytes from the start of a file that tell what it is. */
export const HEAD_SIZE = 512

/** What a file is, with an article, and what to do, in half a sentence. */
export interface ForeignFile {
  readonly what: string
  readonly advice: string
}

interface Signature extends ForeignFile {
  readonly at: number
  readonly bytes: Uint8Array
}

const hex = (digits: string, what: string, advice: string, at = 0): Signature => ({
  at,
  bytes: Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16)),
  what,
  advice,
})

const text = (characters: string, what: string, advice: string, at = 0): Signature => ({
  at,
  bytes: new TextEncoder().encode(characters),
  what,
  advice,
})

const BLOB = "a blob of a Proxmox Backup datastore (.blob), which holds a configuration file, a manifest or a log"
const BLOB_ADVICE = "`proxmox-backup-client restore` writes its content"
const compressed = (tool: string): string => `decompress it first, with ${tool}`
const IMAGE = "mount it with the tools for disk images"

const signatures: ReadonlyArray<Signature> = [
  hex(
    "1c914ea519bab3cd",
    "an index of chunks of a Proxmox Backup datastore (.didx), without contents of its own",
    "it can be read inside its datastore, the folder with .chunks",
  ),
  hex(
    "2f7f41ed91fd0fcd",
    "an index of chunks of a disk image in a Proxmox Backup datastore (.fidx)",
    "a disk image holds no archive; `proxmox-backup-client map` makes a device of it",
  ),
  hex("42ab3807be8370a1", BLOB, BLOB_ADVICE),
  hex("31b958426fb6a37f", `${BLOB}, compressed`, BLOB_ADVICE),
  hex("7b6785be222d4cf0", `${BLOB}, encrypted`, `${BLOB_ADVICE}, with the key`),
  hex("e6591bbf0bbfd80b", `${BLOB}, encrypted and compressed`, `${BLOB_ADVICE}, with the key`),
  hex(
    "91fd60f9c46758d5",
    "a catalog of a Proxmox Backup snapshot (.pcat1), which has names only",
    "give the archive that it is about",
  ),
  text("VMA\0", "a backup of a virtual machine in the VMA format of Proxmox VE", "`vma extract` takes it apart"),
  text("ustar", "an uncompressed tar archive", "`tar -xf` extracts it", 257),
  hex("1f8b", "compressed with gzip", compressed("gunzip")),
  hex("28b52ffd", "compressed with zstd", compressed("unzstd")),
  hex("fd377a585a00", "compressed with xz", compressed("unxz")),
  text("BZh", "compressed with bzip2", compressed("bunzip2")),
  hex("04224d18", "compressed with lz4", compressed("unlz4")),
  hex("894c5a4f000d0a1a0a", "compressed with lzop", compressed("lzop -d")),
  text("LZIP", "compressed with lzip", compressed("lzip -d")),
  text("PK\u0003\u0004", "a zip archive", "`unzip` extracts it; the browser of a server makes them of folders"),
  text("PK\u0005\u0006", "a zip archive with nothing in it", "download it again"),
  hex("377abcaf271c", "a 7z archive", "`7z x` extracts it"),
  text("Rar!", "a RAR archive", "`unrar x` extracts it"),
  text("070701", "a cpio archive", "`cpio -i` extracts it"),
  text("070707", "a cpio archive", "`cpio -i` extracts it"),
  text("hsqs", "a squashfs image", "mount(8) mounts it"),
  hex("514649fb", "a qcow2 disk image", IMAGE),
  text("KDMV", "a VMDK disk image", IMAGE),
  hex("4c554b53babe", "a LUKS volume", "`cryptsetup open` opens it"),
  text("Salted__", "encrypted with openssl", "decrypt it first"),
  text("-----BEGIN PGP", "encrypted or signed with PGP", "decrypt it first, with gpg"),
  text("\u007fELF", "a program", "give an archive"),
  text("<!DOCTYPE", "a web page", "the download went wrong: a server has answered with a page"),
  text("<!doctype", "a web page", "the download went wrong: a server has answered with a page"),
  text("<html", "a web page", "the download went wrong: a server has answered with a page"),
]

/** What a file is whose first bytes these are, as many as there are up to {@link HEAD_SIZE}. */
export const recognise = (head: Uint8Array): ForeignFile | undefined => {
  const found = signatures.find(({ at, bytes }) => bytes.every((byte, i) => head[at + i] === byte))
  if (found !== undefined) return found
  if (isOldTar(head)) return { what: "an uncompressed tar archive", advice: "`tar -xf` extracts it" }
  return head.length > 0 && head.every((byte) => byte === 0)
    ? { what: "nothing but zeros at its beginning", advice: "a copy or download that was not finished" }
    : undefined
}

/** A tar header from before `ustar`: its checksum is right (tar(5)). */
const isOldTar = (head: Uint8Array): boolean => {
  if (head.length < HEAD_SIZE || head[0] === 0) return false
  const checksum = /^ *([0-7]+)[ \0]/.exec(String.fromCharCode(...head.subarray(148, 156)))?.[1]
  if (checksum === undefined) return false
  let sum = 8 * 0x20
  for (let i = 0; i < HEAD_SIZE; i++) if (i < 148 || i >= 156) sum += head[i] as number
  return Number.parseInt(checksum, 8) === sum
}
