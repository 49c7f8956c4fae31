# Completion of hds for bash (4.4 or newer). Put it where bash-completion looks, or:
#   eval "$(hds completions bash)"
_hds() {
    local found files='' line current=${COMP_WORDS[COMP_CWORD]}
    COMPREPLY=()
    mapfile -t found < <("${COMP_WORDS[0]}" __complete bash "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
    for line in "${found[@]}"; do
        case $line in :files|:gguf) files=$line ;; *) COMPREPLY+=("$line") ;; esac
    done
    if [[ -n $files ]]; then
        compopt -o filenames 2>/dev/null
        local IFS=$'\n'
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(
            if [[ $files == :files ]]; then compgen -f -- "$current"
            else compgen -f -X '!*.gguf' -- "$current"; compgen -d -- "$current"; fi)
    fi
}
complete -F _hds hds
