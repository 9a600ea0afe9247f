# A word as the program would get it, without running anything that stands in it.
_pxar_fuse--unquoted()
{
  local _plain="$1"
  case "$_plain" in
    "'"*) _plain="${_plain#"'"}"; _plain="${_plain%"'"}" ;;
    '"'*) _plain="${_plain#'"'}"; _plain="${_plain%'"'}" ;;
    *) IFS= read _plain <<< "${_plain/#\~\//$HOME/}" ;;
  esac
  printf '%s' "$_plain"
}

# Paths inside the archive, which is the first argument of the command.
_pxar_fuse--archive-paths()
{
  local _archive="" _path _paths=()
  for ((i = _command_index + 1; i < cword; i++)); do
    case "${words[i]}" in
      VALUE_FLAGS) ((i += 1)) ;;
      -*) ;;
      *) _archive="$(_pxar_fuse--unquoted "${words[i]}")"; break ;;
    esac
  done
  while IFS= read -r _path; do
    _paths+=("$_path")
  done < <(pxar-fuse complete-path -- "$_archive" "$(_pxar_fuse--unquoted "$cur")" 2>/dev/null)
  _pxar_fuse--choices "$cur" "$_comp_word" "${_paths[@]}"
  # Files of this machine are none of the archive; and a folder is not the end.
  compopt +o default +o bashdefault 2>/dev/null
  [[ "${COMPREPLY[*]}" == */ ]] && compopt -o nospace 2>/dev/null
  return 0
}

# What the program says a word of this kind can be: mount points, mount options, an address in a repository.
_pxar_fuse--words()
{
  local _found _words=()
  while IFS= read -r _found; do
    _words+=("$_found")
  done < <(pxar-fuse complete-word -- "$1" "$(_pxar_fuse--unquoted "$cur")" 2>/dev/null)
  ((${#_words[@]})) || return 0
  _pxar_fuse--choices "$cur" "$_comp_word" "${_words[@]}"
  compopt +o default +o bashdefault 2>/dev/null
  [[ "${COMPREPLY[*]}" == *[/=] ]] && compopt -o nospace 2>/dev/null
  return 0
}
