# Completion of hds for PowerShell. In $PROFILE:
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
