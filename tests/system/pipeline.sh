#!/bin/bash
# A night's work as a person writes it: questions in a file, answers, sources and reasons out. Called with a folder.
set -Eeuo pipefail; trap 'echo "line $LINENO" >&2' ERR
cd "$1"
ask() { hds ask -e scripted -m "${model:-script.jsonl}" -s ferries --offline "$@"; }

hds index add notes --name ferries 2> index.log
grep -q '2 added' index.log

# The bare answer in a variable, and why there is none.
length=$(ask -q -n "How long is the crossing?")
[[ $length == "40 minutes" ]]
code=0; model=guess.jsonl ask -q -n "Who is the captain?" > none.txt 2> why.txt || code=$?
[[ $code == 3 && ! -s none.txt && $(wc -l < why.txt) == 1 ]]

# A loop over a file: -n leaves the rest of the file to the loop.
while read -r question; do
    printf '%s\t%s\n' "$question" "$(ask -q -n "$question")"
done < questions.txt > answers.tsv
[[ $(wc -l < answers.tsv) == 3 && $(cut -f2 answers.tsv | sort -u) == "40 minutes" ]]

# Without -n the pipe is a document, which is said, and cited.
echo "The crossing takes 40 minutes." | ask --json "How long?" 2> said.txt | jq -e '.citations[0].url == "stdin"' > /dev/null
grep -q 'from stdin as a document' said.txt

# Events and documents for other programs; `head` may go when it has enough.
ask -n --jsonl "How long is the crossing?" | jq -r 'select(.event == "query_proposed") | .text' > queries.txt
[[ $(< queries.txt) == "length of the crossing" ]]
ask -n -f text "How long is the crossing?" | head -1 | grep -q "40 minutes"
hds search -s ferries -f '{url}\t{title}' crossing | cut -f2 | grep -qx Ferry
hds history list --json | jq -r '.runs[].run_id' | while read -r run; do hds history show -q "$run" || true; done > again.txt
[[ $(sort -u again.txt) == "40 minutes" ]]
code=0; ask -n --top-k none "x" 2> /dev/null || code=$?
[[ $code == 2 ]]
echo done
