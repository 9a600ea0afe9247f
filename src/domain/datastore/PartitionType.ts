/**
 * What partition tables call the common types of partitions: by a byte in an MBR, by a GUID in a GPT. As `sfdisk` names
 * them; others are told by their number.
 */
import * as Bytes from "../Bytes.ts"

const MBR: Readonly<Record<number, string>> = {
  0x01: "FAT12",
  0x04: "FAT16",
  0x06: "FAT16",
  0x07: "HPFS/NTFS/exFAT",
  0x0b: "W95 FAT32",
  0x0c: "W95 FAT32 (LBA)",
  0x0e: "W95 FAT16 (LBA)",
  0x27: "Hidden NTFS WinRE",
  0x82: "Linux swap",
  0x83: "Linux",
  0x8e: "Linux LVM",
  0xa5: "FreeBSD",
  0xef: "EFI",
  0xfb: "VMware VMFS",
  0xfd: "Linux raid autodetect",
}

const GPT: Readonly<Record<string, string>> = {
  "c12a7328-f81f-11d2-ba4b-00a0c93ec93b": "EFI System",
  "21686148-6449-6e6f-744e-656564454649": "BIOS boot",
  "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7": "Microsoft basic data",
  "e3c9e316-0b5c-4db8-817d-f92df00215ae": "Microsoft reserved",
  "de94bba4-06d1-4d40-a16a-bfd50179d6ac": "Windows recovery environment",
  "0fc63daf-8483-4772-8e79-3d69d8477de4": "Linux filesystem",
  "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f": "Linux swap",
  "933ac7e1-2eb4-4f13-b844-0e14e2aef915": "Linux home",
  "4f68bce3-e8cd-4db1-96e7-fbcaf984b709": "Linux root (x86-64)",
  "b921b045-1df0-41c3-af44-4c6f280d3fae": "Linux root (ARM-64)",
  "bc13c2ff-59e6-4262-a352-b275fd6f7172": "Linux extended boot",
  "e6d6d379-f507-44c2-a23c-238f2a3df928": "Linux LVM",
  "a19d880f-05fc-4d3b-a006-743f0f84911e": "Linux RAID",
  "6a898cc3-1dd2-11b2-99a6-080020736631": "Solaris /usr & Apple ZFS",
  "aa31e02a-400f-11db-9590-000c2911d1b8": "VMware VMFS",
}

/** The name of a type in an MBR. */
export const ofMbr = (type: number): string => MBR[type] ?? `type ${type.toString(16).padStart(2, "0")}`

/** The text of a GUID of 16 bytes: its first three groups are little-endian. */
const guid = (bytes: Uint8Array): string => {
  const groups = [
    [3, 2, 1, 0],
    [5, 4],
    [7, 6],
    [8, 9],
    [10, 11, 12, 13, 14, 15],
  ]
  return groups
    .map((places) => places.map((at) => (bytes[at] as number).toString(16).padStart(2, "0")).join(""))
    .join("-")
}

/** The name of a type in a GPT, of 16 bytes. */
export const ofGpt = (type: Uint8Array): string => GPT[guid(type)] ?? `type ${guid(type)}`

/** A name in a GPT: 36 units of UTF-16 little-endian, up to a NUL; `undefined` if it is empty or no text. */
export const nameOf = (bytes: Uint8Array): string | undefined => {
  const view = Bytes.dataView(bytes)
  let name = ""
  for (let at = 0; at + 2 <= bytes.length; at += 2) {
    const unit = view.getUint16(at, true)
    if (unit === 0) break
    name += String.fromCharCode(unit)
  }
  return name === "" || /[\p{Cc}\p{Cs}]/u.test(name) ? undefined : name
}
