"""The scripts that make a shell ask `hds __complete` at every Tab. `completions/` holds them as files."""

from __future__ import annotations

BASH = r"""# Completion of hds for bash (4.4 or newer). Put it where bash-completion looks, or:
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
"""

ZSH = r"""#compdef hds
# Completion of hds for zsh. Put it as _hds into a folder of $fpath, or:
#   eval "$(hds completions zsh)"
_hds() {
    local -a found described
    local line value about
    found=("${(@f)$("${words[1]}" __complete zsh "${(@Q)words[1,CURRENT]}" 2>/dev/null)}")
    for line in "${found[@]}"; do
        if [[ $line == :files ]]; then
            _files
        elif [[ $line == :gguf ]]; then
            _files -g '*.gguf'
        elif [[ -n $line ]]; then
            value=${line%%$'\t'*} about=${line#*$'\t'}
            described+=("${value//:/\\:}${about:+:$about}")
        fi
    done
    (( $#described )) && _describe -V hds described
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _hds "$@"
else
    compdef _hds hds
fi
"""

FISH = r"""# Completion of hds for fish. Put it into ~/.config/fish/completions, or:
#   hds completions fish | source
function __hds_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] __complete fish $words "$current" 2>/dev/null)
        if test "$line" = :files
            __fish_complete_path "$current"
        else if test "$line" = :gguf
            __fish_complete_suffix "$current" .gguf "" | string match -r '^[^\t]*(?:\.gguf|/)(?:\t.*)?$'
        else
            printf '%s\n' $line
        end
    end
end
complete -c hds -f -k -a '(__hds_complete)'
"""

POWERSHELL = r"""# Completion of hds for PowerShell. In $PROFILE:
#   hds completions powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName hds -ScriptBlock {
    param($word, $tree, $cursor)
    $words = @($tree.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursor } | ForEach-Object { "$_" })
    & $words[0] __complete powershell @words "$word" 2>$null | ForEach-Object {
        $value, $about = $_ -split "`t", 2
        if ($value -notin ':files', ':gguf') {
            if (-not $about) { $about = $value }
            [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $about)
        }
    }
}
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH, "powershell": POWERSHELL}
FILES = {"bash": "hds.bash", "zsh": "_hds", "fish": "hds.fish", "powershell": "hds.ps1"}
"""What the scripts are called in `completions/`."""
