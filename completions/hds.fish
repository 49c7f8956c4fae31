# Completion of hds for fish. Put it into ~/.config/fish/completions, or:
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
