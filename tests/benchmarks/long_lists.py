"""Long lists by the starter: right as the model copied them, and right as the run put them together.

    python tests/benchmarks/long_lists.py

Every second country with six to eight neighbours that all have a capital, and Austria, by the installed command.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from hds_cli.agent import protocol
from hds_starter import world

HDS = str(Path(sys.executable).with_name("hds"))


def main() -> None:
    countries = world.countries()
    by_code = {info["ISO"]["alpha3"]: name for name, info in countries.items()}
    around = {name: world.borders(info, by_code) for name, info in countries.items()}
    names = [
        n for n, found in around.items() if 6 <= len(found) <= 8 and all(countries[m].get("capital") for m in found)
    ]
    asked = list(dict.fromkeys(["Austria", *names[::2]]))
    right = {"copied": 0, "put together": 0}
    for name in asked:
        wanted = world._list([countries[m]["capital"] for m in around[name]])
        question = f"What are the capitals of the countries that border {name}?"
        done = subprocess.run([HDS, "ask", "--offline", "--jsonl", question], capture_output=True, text=True)
        events = [json.loads(line) for line in done.stdout.splitlines()]
        written = [event["written"] for event in events if event["event"] == "turn_finished"][-1]
        answers = {"copied": protocol.split_answer(written)[0], "put together": events[-1]["answer"]}
        for how, answer in answers.items():
            right[how] += answer == wanted
            if answer != wanted:
                print(f"{name}, {how}: {answer}")
    print(f"{len(asked)} questions; right: {right}")


if __name__ == "__main__":
    main()
