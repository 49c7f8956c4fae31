"""What `hds eval` costs beside the model: 1,000 scripted questions, two searches each.

    python tests/benchmarks/eval_overhead.py ../shared/data/nq_oracle --jobs 2

Prints the seconds of the whole command; the index of the pages is built before. The aim: at most 60 s on two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HDS = str(Path(sys.executable).with_name("hds"))
BLOCK = "<think>\nt\n</think>\n\n<|begin_search_queries|>\nfirst nobel prize in physics;\nnext deadpool movie\n<|end_search_queries|>"
ANSWER = "x\n</think>\n\n\\boxed{Wilhelm Conrad Röntgen}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("dataset")
    parser.add_argument("--questions", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        script = Path(name) / "s.jsonl"
        script.write_text("\n".join(json.dumps({"text": text}) for text in (BLOCK, ANSWER)))
        command = [HDS, "eval", args.dataset, "-e", "scripted", "-m", str(script), "--json", "--overwrite"]
        env = os.environ | {"HDS_HOME": name}
        subprocess.run([*command, "--limit", "1"], env=env, check=True, stdout=subprocess.DEVNULL)
        began = time.monotonic()
        out = subprocess.run(
            [*command, "--limit", str(args.questions), "--jobs", str(args.jobs)],
            env=env,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        seconds = time.monotonic() - began
    n = json.loads(out)["n"]
    print(f"{n} questions in {seconds:.1f} s, {1000 * seconds / n:.0f} ms each, {args.jobs} at once")


if __name__ == "__main__":
    main()
