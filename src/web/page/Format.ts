/**
 * Figures and times as people read them.
 */

const units = ["B", "kB", "MB", "GB", "TB", "PB"]

/** `1.4 MB`, in powers of 1000 as the command has them. */
export const size = (bytes: number): string => {
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

export const count = (number: number): string => number.toLocaleString("en")

/** `12 entries`, `1 entry`. */
export const counted = (number: number, one: string, many: string): string =>
  `${count(number)} ${number === 1 ? one : many}`

const two = (number: number): string => String(number).padStart(2, "0")

/** A time in the zone of this machine: `2026-03-03 10:00`. */
export const time = (seconds: string | number): string => {
  const date = new Date(Number(seconds) * 1000)
  return Number.isNaN(date.getTime())
    ? "–"
    : `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`
}

/** The same with seconds and nanoseconds. */
export const exactTime = (seconds: string, nanos: number): string => {
  const date = new Date(Number(seconds) * 1000)
  return `${time(seconds)}:${two(date.getSeconds())}.${String(nanos).padStart(9, "0")}`
}

/** The time of a backup as its folder is called: `3 Mar 2026, 10:00`. */
export const backupTime = (text: string): string => {
  const date = new Date(text)
  return Number.isNaN(date.getTime())
    ? text
    : date.toLocaleString("en-GB", {
        day: "numeric",
        month: "short",
        year: "numeric",
        hour: "2-digit",
        minute: "2-digit",
      })
}

/** How long ago that is: `3 days ago`. */
export const ago = (text: string, now = Date.now()): string => {
  const seconds = (now - Date.parse(text)) / 1000
  const steps: ReadonlyArray<readonly [number, Intl.RelativeTimeFormatUnit]> = [
    [60, "second"],
    [60, "minute"],
    [24, "hour"],
    [30, "day"],
    [12, "month"],
  ]
  let value = seconds
  for (const [next, unit] of steps) {
    if (Math.abs(value) < next) return relative.format(-Math.round(value), unit)
    value /= next
  }
  return relative.format(-Math.round(value), "year")
}

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" })

const letters: Readonly<Record<string, string>> = {
  directory: "d",
  file: "-",
  symlink: "l",
  fifo: "p",
  socket: "s",
  chardev: "c",
  blockdev: "b",
}

/** `-rw-r--r--`. */
export const mode = (kind: string, bits: number): string => {
  const triplet = (shift: number, special: number, letter: string): string => {
    const three = (bits >> shift) & 7
    const runs = (three & 1) !== 0
    const last = (bits & special) === 0 ? (runs ? "x" : "-") : runs ? letter : letter.toUpperCase()
    return ((three & 4) === 0 ? "-" : "r") + ((three & 2) === 0 ? "-" : "w") + last
  }
  return (letters[kind] ?? "?") + triplet(6, 0o4000, "s") + triplet(3, 0o2000, "s") + triplet(0, 0o1000, "t")
}

const kinds: Readonly<Record<string, string>> = {
  directory: "folder",
  file: "file",
  symlink: "symbolic link",
  fifo: "named pipe",
  socket: "socket",
  chardev: "character device",
  blockdev: "block device",
  unreadable: "unreadable",
}

export const kind = (name: string): string => kinds[name] ?? name
