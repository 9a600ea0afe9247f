# Paths inside the archive, which is the first argument of the command.
_pxar_fuse_archive_paths() {
  local archive
  local -i at
  local -a found folders files
  for ((at = 2; at < CURRENT; at++)); do
    case "${words[at]}" in
      (VALUE_FLAGS) ((at++)) ;;
      (-*) ;;
      (*) archive="${${(Q)words[at]}/#\~\//$HOME/}"; break ;;
    esac
  done
  found=("${(@f)$(pxar-fuse complete-path -- "$archive" "${(Q)PREFIX}" 2>/dev/null)}")
  folders=("${(@M)found:#*/}")
  files=("${(@)found:#*/}")
  # A folder is not the end.
  (( $#folders )) && compadd -S '' -a folders
  (( $#files )) && compadd -a files
}

# What the program says a word of this kind can be: mount points, mount options, an address in a repository or a file.
_pxar_fuse_words() {
  local -a found whole begun
  if [[ $1 == address && $PREFIX != *::* ]]; then
    _files
    return
  fi
  found=(${(@f)"$(pxar-fuse complete-word -- "$1" "${(Q)PREFIX}" 2>/dev/null)"})
  begun=(${(M)found:#*[/=]})
  whole=(${found:#*[/=]})
  (( $#begun )) && compadd -S '' -a begun
  (( $#whole )) && compadd -a whole
  [[ $1 == mounts && $#found == 0 ]] && _directories
}
