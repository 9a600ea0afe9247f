/**
 * What a first-time administrator does with the README in hand, as text and commands: the page `docs/walk.md` is made of it.
 */

export interface Part {
  readonly title: string
  readonly text: string
  readonly commands: ReadonlyArray<string>
}

/** What is there before: the disk of a server, the keys of a client, and half of a split archive. */
export const ready = (store: string, keys: string, golden: string): string => `
mkdir -p /mnt/disk /mnt/backups
cp -r '${store}' /mnt/disk/store
cp '${keys}/enc-none.json' encryption-key.json
cp '${keys}/sign-none.json' other-key.json
cp '${golden}/synth-v2.mpxar' root.mpxar
mkdir -p /mnt/usb
cp '${golden}/synth-v2.ppxar' /mnt/usb/root.ppxar`

const DATA = "host/data/latest/tree.pxar"
const ENCRYPTED = "/mnt/disk/store::host/enc/latest/tree.pxar"

export const parts: ReadonlyArray<Part> = [
  {
    title: "A mounted datastore and a restored file",
    text: "The server is dead. Its disk is mounted on `/mnt/disk`. Which backups are there?",
    commands: [
      "pxar-fuse snapshots /mnt/disk",
      "pxar-fuse snapshots /mnt/disk/store",
      "pxar-fuse mount /mnt/disk/store /mnt/backups",
      "ls -1 /mnt/backups /mnt/backups/host",
      `ls -1 /mnt/backups/${DATA}`,
      `cp -a /mnt/backups/${DATA}/stable.txt /srv/`,
      "cat /srv/stable.txt",
      "pxar-fuse unmount /mnt/backups",
    ],
  },
  {
    title: "A page in the browser",
    text: "`serve` prints a link. `curl` stands for the browser here; [web.md](web.md) has pictures of the page.",
    commands: [
      'pxar-fuse serve /mnt/disk/store >said 2>&1 & until grep -qs Ctrl-C said; do sleep 0.1; done; cat said; curl -s "$(head -n 1 said)" | grep "<title>"; kill %1',
    ],
  },
  {
    title: "A wrong key",
    text: "The backup is encrypted. There are two key files, and it is not known which is the right one.",
    commands: [
      `pxar-fuse extract ${ENCRYPTED} /srv/secret stable.txt`,
      `pxar-fuse extract --key-file other-key.json ${ENCRYPTED} /srv/secret stable.txt`,
      "pxar-fuse keys --key-file other-key.json --key-file encryption-key.json /mnt/disk/store::host/enc",
      `pxar-fuse extract --key-file encryption-key.json ${ENCRYPTED} /srv/secret stable.txt`,
      "cat /srv/secret/stable.txt",
    ],
  },
  {
    title: "A missing payload",
    text: "Of a split archive only the `.mpxar` was copied. The other half is still on a stick.",
    commands: [
      "pxar-fuse list root.mpxar files | head -n 4",
      "pxar-fuse extract root.mpxar /srv/half files",
      "pxar-fuse extract --payload /mnt/usb/root.ppxar root.mpxar /srv/whole files",
      "ls -l --time-style=+%F /srv/whole/files | head -n 4",
    ],
  },
  {
    title: "A mount point in use",
    text: "The folder is taken: by files, and then by another mount.",
    commands: [
      "pxar-fuse mount root.mpxar /mnt/usb",
      "pxar-fuse mount --payload /mnt/usb/root.ppxar root.mpxar /mnt/backups",
      "pxar-fuse mount /mnt/disk/store /mnt/backups",
      "pxar-fuse unmount /mnt/backups",
      "pxar-fuse mount /mnt/disk/store /mnt/backups",
      "pxar-fuse status /mnt/backups | head -n 1",
      "pxar-fuse unmount /mnt/backups",
      "pxar-fuse unmount /mnt/backups",
    ],
  },
]
