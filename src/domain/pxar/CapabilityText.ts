/**
 * File capabilities (`security.capability`) as `getcap` shows them.
 *
 * The layout is `struct vfs_cap_data` and `struct vfs_ns_cap_data` of `linux/capability.h`, versions 1 to 3.
 */
import * as Bytes from "../Bytes.ts"

const names = (
  "chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service " +
  "net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin " +
  "sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap mac_override " +
  "mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore"
).split(" ")

/** Bytes of a value of each version: a header, a pair of sets for each 32 capabilities, and in version 3 a user id. */
const sizes: Readonly<Record<number, number>> = { 1: 12, 2: 20, 3: 24 }

const EFFECTIVE = 1

/** `cap_net_raw=ep`, …; `undefined` if the value is not what the kernel accepts. */
export const print = (value: Uint8Array): string | undefined => {
  if (value.length < 4) return undefined
  const view = Bytes.dataView(value)
  const magic = view.getUint32(0, true)
  const version = magic >>> 24
  if (sizes[version] !== value.length) return undefined
  const effective = (magic & EFFECTIVE) !== 0 ? "e" : ""
  const groups = new Map<string, Array<string>>()
  for (let capability = 0; capability < (version === 1 ? 32 : 64); capability++) {
    const isIn = (set: number): boolean =>
      ((view.getUint32(4 + 8 * (capability >> 5) + 4 * set, true) >>> (capability & 31)) & 1) === 1
    const [permitted, inheritable] = [isIn(0), isIn(1)]
    if (!permitted && !inheritable) continue
    const sets = effective + (inheritable ? "i" : "") + (permitted ? "p" : "")
    const name = names[capability] === undefined ? String(capability) : `cap_${names[capability]}`
    groups.set(sets, [...(groups.get(sets) ?? []), name])
  }
  const texts = [...groups].map(([sets, members]) => `${members.join(",")}=${sets}`)
  if (version === 3) texts.push(`[rootid=${view.getUint32(20, true)}]`)
  return texts.length === 0 ? "=" : texts.join(" ")
}
