/**
 * A package for Fedora, SUSE and their kin, without scripts. Made by `rpmbuild`, also for another kind of machine: nothing is
 * compiled.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { epoch, level, type Machine, name, run, version } from "./Release.ts"

/** Packs a tree (see `Staging`). Returns the file. */
export const make = async (stage: string, target: string, machine: Machine): Promise<string> => {
  const top = `${stage}.rpm`
  fs.mkdirSync(top)
  const spec = path.join(top, `${name}.spec`)
  fs.writeFileSync(spec, specOf(stage))
  await run("rpmbuild", ["-bb", "--quiet", "--target", machine.rpm, "--define", `_topdir ${top}`, spec], {
    SOURCE_DATE_EPOCH: String(epoch()),
  })
  const built = `${name}-${version}-1.${machine.rpm}.rpm`
  fs.copyFileSync(path.join(top, "RPMS", machine.rpm, built), path.join(target, built))
  return path.join(target, built)
}

const specOf = (stage: string): string => `%global _build_id_links none
%global __os_install_post %{nil}
%global debug_package %{nil}
%global _binary_payload w${level}.xzdio
%global _buildhost localhost
%global use_source_date_epoch_as_buildtime 1
%global clamp_mtime_to_source_date_epoch 1
Name: ${name}
Version: ${version}
Release: 1
Summary: Opens Proxmox backup archives and datastores without a server
License: MIT
URL: https://www.npmjs.com/package/${name}
AutoReqProv: no
Requires: fuse3

%description
Opens archives (.pxar, or .mpxar with .ppxar) and datastores of Proxmox Backup Server without a server: as a read-only file
system, by keyboard, or file by file. It brings its own Node.js.

%install
mkdir -p %{buildroot}/usr/share/zsh/site-functions
cp -a ${stage}/. %{buildroot}/usr/
mv %{buildroot}/usr/share/zsh/vendor-completions/* %{buildroot}/usr/share/zsh/site-functions/
rmdir %{buildroot}/usr/share/zsh/vendor-completions

%files
%defattr(-,root,root)
/usr/bin/${name}
/usr/lib/${name}
/usr/share/doc/${name}
/usr/share/man/man1/${name}.1.gz
/usr/share/bash-completion/completions/${name}
/usr/share/zsh/site-functions/_${name}
/usr/share/fish/vendor_completions.d/${name}.fish
`
