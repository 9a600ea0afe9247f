/**
 * A repository on the screen: the folder, the backup it is in among the others, the entry that is looked at.
 */
import type { JSX } from "preact"
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks"
import * as Client from "./Client.ts"
import * as CommandLine from "./CommandLine.ts"
import { Downloads, save } from "./Downloads.tsx"
import { Footer } from "./Footer.tsx"
import { Found } from "./Found.tsx"
import { Growth } from "./Growth.tsx"
import { Help } from "./Help.tsx"
import * as Keys from "./Keys.ts"
import { Listing } from "./Listing.tsx"
import { Overview } from "./Overview.tsx"
import { Panel, type Tab } from "./Panel.tsx"
import { Restore } from "./Restore.tsx"
import * as Route from "./Route.ts"
import { Timeline } from "./Timeline.tsx"
import { TopBar } from "./TopBar.tsx"
import { Trouble } from "./Trouble.tsx"
import { Unlock } from "./Unlock.tsx"
import { useBackups } from "./UseBackups.ts"
import { useFolder, type Wanted } from "./UseFolder.ts"

interface Props {
  readonly server: Client.Json.ServerJson
  readonly onServer: () => void
  readonly onLeave: () => void
}

type Open = "help" | "restore" | "unlock"

export const Browser = ({ onLeave, onServer, server }: Props): JSX.Element => {
  const route = Route.useRoute()
  const repository = server.repositories.find(({ id }) => id === route.repository)
  const isDatastore = repository?.kind === "datastore"
  /** Paths that are no folders: what is around them is shown. */
  const [files, setFiles] = useState<ReadonlySet<string>>(new Set())
  const [sort, setSort] = useState<Wanted["sort"]>("name")
  const [descending, setDescending] = useState(false)
  const [filter, setFilter] = useState("")
  const [cursor, setCursor] = useState(0)
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
  const [inspected, setInspected] = useState<string>()
  const [tab, setTab] = useState<Tab>("preview")
  const [open, setOpen] = useState<Open>()
  const [searched, setSearched] = useState<string>()
  const [marksChanges, setMarksChanges] = useState(false)
  const [showsGrowth, setShowsGrowth] = useState(false)
  const [editing, setEditing] = useState(0)
  const [searching, setSearching] = useState(0)
  const [jobs, setJobs] = useState<ReadonlyArray<Client.Json.JobJson>>([])
  const [trouble, setTrouble] = useState<Error>()
  /** Changes when keys were unlocked, so that all is asked again. */
  const [turn, setTurn] = useState(0)
  const filterField = useRef<HTMLInputElement>(null)
  /** The name that the cursor goes to when it is there. */
  const aimed = useRef("")

  const isFile = files.has(route.path)
  const folderPath = isFile ? Route.parent(route.path) : route.path
  const { backups, current, members, moved } = useBackups(route.repository, isDatastore, folderPath, turn)
  const isOverview = isDatastore && route.path === "/"
  const isGroup = backups.some(({ group }) => group === folderPath)
  const before = members[current - 1]
  const wanted: Wanted & { readonly turn: number } = {
    repository: route.repository,
    path: folderPath,
    sort,
    descending,
    filter,
    compare: marksChanges && before !== undefined ? moved(before) : undefined,
    turn,
  }
  const folder = useFolder(wanted)
  const row = folder.row(cursor)

  useEffect(() => {
    document.title = `${Route.lastName(route.path) || route.repository} – pxar-fuse`
    setSearched(undefined)
  }, [route.path, route.repository])
  useEffect(() => {
    setSelected(new Set())
    setFilter("")
    setCursor(0)
    setTrouble(undefined)
    if (!isFile) setInspected(undefined)
  }, [folderPath, route.repository])
  useEffect(() => {
    if (isFile) aimed.current = Route.lastName(route.path)
    if (folder.error?.id === "PXF-PATH-NOT-A-FOLDER" && !isFile) setFiles(new Set([...files, route.path]))
  })
  useEffect(() => {
    if (folder.state !== "ready" || aimed.current === "") return
    for (let index = 0; index < Math.min(folder.count, 1000); index++) {
      if (folder.row(index)?.name === aimed.current) setCursor(index)
    }
    aimed.current = ""
  }, [folder.state, folderPath])

  const shownPath = inspected ?? (isFile ? route.path : undefined)
  const shownName = shownPath === undefined ? undefined : Route.lastName(shownPath)
  const shownRow = useMemo((): Client.Json.RowJson | undefined => {
    if (shownName === undefined) return undefined
    for (let index = 0; index < Math.min(folder.count, 2000); index++) {
      const candidate = folder.row(index)
      if (candidate?.name === shownName) return candidate
    }
    return row?.name === shownName ? row : { name: shownName, kind: "file" }
  }, [shownName, folder.state, folder.count, cursor])

  const here = (name: string): string => Route.join(folderPath, name)
  const openRow = (row: Client.Json.RowJson): void => {
    if (row.change === "gone") return
    const path = here(row.name)
    if (row.kind === "directory") return Route.go({ repository: route.repository, path })
    if (row.kind === "unreadable") return setInspected(path)
    setInspected(undefined)
    setFiles(new Set([...files, path]))
    Route.go({ repository: route.repository, path }, isFile)
  }
  const up = (): void => {
    if (folderPath === "/") return
    aimed.current = Route.lastName(folderPath)
    Route.go({ repository: route.repository, path: Route.parent(folderPath) })
  }
  const closePanel = (): void => {
    setInspected(undefined)
    if (isFile) Route.go({ repository: route.repository, path: folderPath }, true)
  }
  const move = (index: number): void => {
    const backup = members[index]
    if (backup !== undefined)
      Route.go(
        { repository: route.repository, path: moved(backup) + (isFile ? `/${Route.lastName(route.path)}` : "") },
        true,
      )
  }
  const select = (row: Client.Json.RowJson): void => {
    if (row.change === "gone") return
    const next = new Set(selected)
    if (!next.delete(row.name)) next.add(row.name)
    setSelected(next)
  }
  /** What an action is about: what is selected, what is looked at, or where the cursor is. */
  const subjects =
    selected.size > 0 ? [...selected] : shownName !== undefined ? [shownName] : row === undefined ? [] : [row.name]
  const download = (names: ReadonlyArray<string>, format: "tar" | "zip"): void => {
    const [name] = names
    const only =
      names.length === 1 ? (shownRow?.name === name ? shownRow : row?.name === name ? row : undefined) : undefined
    if (only?.kind === "file") return save(Client.contentUrl(route.repository, here(only.name), false))
    Client.startExport(route.repository, { folder: folderPath, names, format }).then((job) => {
      setJobs((jobs) => [...jobs, job])
      save(Client.downloadUrl(job.id))
    }, setTrouble)
  }
  const commandLine = CommandLine.make(
    repository?.address ?? "",
    isDatastore,
    folderPath,
    [...selected],
    isFile ? route.path : undefined,
  )
  const canRestore = server.restore !== undefined && subjects.length > 0

  // At once: the next key is about the row that this one has led to.
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (Keys.isTyping(event) || open !== undefined) return
      const actions: Readonly<Record<string, () => void>> = {
        "?": () => setOpen("help"),
        "/": () => filterField.current?.select(),
        s: () => setSearching((count) => count + 1),
        g: () => setEditing((count) => count + 1),
        "[": () => move(current - 1),
        "]": () => move(current + 1),
        t: () => isGroup && setShowsGrowth(!showsGrowth),
        c: () => void navigator.clipboard.writeText(commandLine),
        d: () => download(subjects, "zip"),
        r: () => canRestore && setOpen("restore"),
        v: () => {
          if (members.length < 2) return
          setTab("versions")
          if (row !== undefined && shownPath === undefined) setInspected(here(row.name))
        },
        i: () => {
          setTab("details")
          if (row !== undefined && shownPath === undefined) setInspected(here(row.name))
        },
        Escape: () => (filter === "" ? closePanel() : setFilter("")),
      }
      const action = actions[event.key]
      if (action === undefined) return
      event.preventDefault()
      action()
    }
    addEventListener("keydown", press)
    return () => removeEventListener("keydown", press)
  })

  const error = trouble ?? (folder.error?.id === "PXF-PATH-NOT-A-FOLDER" ? undefined : folder.error)
  return (
    <div class={`browser${shownPath === undefined ? "" : " with-panel"}`}>
      <TopBar
        server={server}
        route={route}
        editing={editing}
        searching={searching}
        onSearch={(text) => setSearched(text === "" ? undefined : text)}
        onHelp={() => setOpen("help")}
        onLeave={onLeave}
      />
      {members.length > 1 && searched === undefined ? (
        <Timeline
          backups={members}
          current={current}
          marksChanges={marksChanges}
          onMove={move}
          onMarkChanges={setMarksChanges}
        />
      ) : null}
      {searched !== undefined ? (
        <Found repository={route.repository} path={folderPath} text={searched} onClose={() => setSearched(undefined)} />
      ) : isOverview ? (
        <Overview repository={route.repository} backups={backups} />
      ) : (
        <main class="folder">
          <h1 class="unseen">{Route.lastName(folderPath) || route.repository}</h1>
          {isGroup && showsGrowth ? (
            <Growth repository={route.repository} group={folderPath} onClose={() => setShowsGrowth(false)} />
          ) : null}
          {error === undefined ? null : (
            <Trouble
              error={error}
              isInTime={members.length > 1}
              keys={server.keys}
              onUnlock={() => setOpen("unlock")}
              onUp={up}
            />
          )}
          {folder.error !== undefined ? null : (
            <>
              <Listing
                folder={folder}
                wanted={wanted}
                cursor={cursor}
                selected={selected}
                onCursor={setCursor}
                onOpen={openRow}
                onSelect={select}
                onSort={(by) => {
                  setDescending(by === sort && !descending)
                  setSort(by)
                }}
                onUp={up}
              />
              <Footer
                folder={folder}
                filter={filter}
                filterField={filterField}
                selected={selected.size}
                commandLine={commandLine}
                onGrowth={isGroup && !showsGrowth ? () => setShowsGrowth(true) : undefined}
                onFilter={(text) => {
                  setFilter(text)
                  setCursor(0)
                }}
                onDownload={(format) => download([...selected], format)}
                onRestore={server.restore === undefined ? undefined : () => setOpen("restore")}
                onClear={() => setSelected(new Set())}
              />
            </>
          )}
        </main>
      )}
      {shownPath === undefined || shownRow === undefined || searched !== undefined ? null : (
        <Panel
          repository={route.repository}
          path={shownPath}
          row={shownRow}
          hasVersions={members.length > 1}
          tab={tab}
          onTab={setTab}
          onDownload={() => download([shownRow.name], "zip")}
          onRestore={server.restore === undefined ? undefined : () => setOpen("restore")}
          onClose={closePanel}
        />
      )}
      <Downloads jobs={jobs} onForget={(id) => setJobs((jobs) => jobs.filter((job) => job.id !== id))} />
      {open === "help" ? (
        <Help
          version={server.version}
          has={{ backups: isDatastore, restore: server.restore !== undefined }}
          onClose={() => setOpen(undefined)}
        />
      ) : null}
      {open === "restore" && server.restore !== undefined ? (
        <Restore
          repository={route.repository}
          folder={folderPath}
          names={subjects}
          allowed={server.restore}
          onClose={() => setOpen(undefined)}
        />
      ) : null}
      {open === "unlock" ? (
        <Unlock
          keys={server.keys}
          onClose={() => setOpen(undefined)}
          onDone={() => {
            setOpen(undefined)
            setTurn(turn + 1)
            onServer()
          }}
        />
      ) : null}
    </div>
  )
}
