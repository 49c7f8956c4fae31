# Completion of hds for bash (4.4 or newer). Put it where bash-completion looks, or:
#   eval "$(hds completions bash)"
_hds() {
    local found files='' line
    COMPREPLY=()
    mapfile -t found < <("${COMP_WORDS[0]}" __complete bash "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
    for line in "${found[@]}"; do
        if [[ $line == :files ]]; then files=1; else COMPREPLY+=("$line"); fi
    done
    if [[ -n $files ]]; then
        compopt -o filenames 2>/dev/null
        local IFS=$'\n'
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
    fi
}
complete -F _hds hds
