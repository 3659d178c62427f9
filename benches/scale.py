#!/usr/bin/env python3
"""Times plans and boards of a million cells, and counts what the store asks of its file system.

    cargo build --release
    python3 benches/scale.py --program target/release/molarena --folder /tmp/scale

Ten methods (a forest of 1 to 10 trees on the demo world) with 100,000 seeds each make a million steps and cells:

plan     a run on an empty store, until its first step starts, and the largest memory until then
resume   the same run on a store that has every step and every record, until it ends
board    the board of this store without intervals, which need predictions

The full store is made here: each record is that of a run of one seed, with another seed, another score and the keys that
belong to them, as the store checks. It takes 4 KiB a file, so a million cells need 10 GB and a few minutes.

calls    names of files under the store in the system calls of a run, a step (needs strace; left out without it)
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

METHODS = 10


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, default=Path("target/release/molarena"))
    parser.add_argument("--folder", type=Path, default=Path("/tmp/molarena-scale"), help="made anew, and removed unless --keep")
    parser.add_argument("--cells", type=int, default=1_000_000, help=f"a multiple of {METHODS}")
    parser.add_argument("--keep", action="store_true", help="leave the folder")
    options = parser.parse_args()
    if options.cells % METHODS or options.cells <= 0:
        parser.error(f"--cells must be a multiple of {METHODS}")
    options.program = options.program.resolve()
    return options


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def key_of(value):
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def cell_material(record):
    return {
        "schema": "molarena.record/1",
        "fit": record["fit_key"],
        "seed": record["seed"],
        "method": record["method"],
        "metric": record["metric"],
        "metrics_version": 1,
        "scoring": record["scoring"],
    }


class Arena:
    def __init__(self, options):
        self.program, self.folder = options.program, options.folder
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.molarena("data", "simulate")
        for trees in range(1, METHODS + 1):
            method = [
                'schema = "molarena.method/1"',
                f'name = "forest-{trees}"',
                'features = { kind = "morgan", radius = 2, bits = 64 }',
                f'baseline = {{ component = "baselines/rf", config = {{ n_trees = {trees} }} }}',
            ]
            (self.folder / f"forest-{trees}.toml").write_text("\n".join(method) + "\n")

    def suite(self, seeds):
        methods = json.dumps([f"forest-{trees}.toml" for trees in range(1, METHODS + 1)])
        path = self.folder / f"suite-{seeds}.toml"
        text = f'schema = "molarena.suite/1"\nname = "scale"\n[[cells]]\ndatasets = ["demo"]\nmethods = {methods}\nseeds = {seeds}\n'
        path.write_text(text)
        return path.name

    def command(self, *arguments):
        return [str(self.program), *map(str, arguments)]

    def molarena(self, *arguments):
        return subprocess.run(self.command(*arguments), cwd=self.folder, check=True, capture_output=True, text=True)

    def timed(self, *arguments):
        """Seconds and MiB of a whole command, and what it printed."""
        started = time.monotonic()
        with open(self.folder / "printed", "wb") as printed:
            process = subprocess.Popen(self.command(*arguments), cwd=self.folder, stdout=printed, stderr=subprocess.STDOUT)
            _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        text = (self.folder / "printed").read_text()
        if os.waitstatus_to_exitcode(status) != 0:
            sys.exit(f"molarena {' '.join(map(str, arguments))} failed:\n{text[-2000:]}")
        return seconds, usage.ru_maxrss / 1024, text

    def planned(self, suite):
        """Seconds until the first step starts, and the largest memory in MiB until then."""
        events = self.folder / "events.jsonl"
        started = time.monotonic()
        command = self.command("run", suite, "--store", "empty", "--jobs", "1", "--events", events)
        process = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not (events.exists() and '"started"' in events.read_text()):
            if process.poll() is not None:
                sys.exit("the run ended before a step started")
            time.sleep(0.05)
        seconds = time.monotonic() - started
        status = Path(f"/proc/{process.pid}/status").read_text()
        peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
        process.send_signal(signal.SIGINT)
        process.wait()
        return seconds, peak / 1024


def fill(store, templates, seeds):
    """Writes a record and a step for each method and seed."""
    folders = [store / kind / f"{shard:02x}" for kind in ("records", "steps") for shard in range(256)]
    for folder in folders:
        folder.mkdir(exist_ok=True)
    with concurrent.futures.ProcessPoolExecutor() as pool:
        for done in pool.map(fill_one, [(store, *template, seeds) for template in templates]):
            print(f"  filled {done}", file=sys.stderr)


def fill_one(task):
    store, record, step, seeds = task
    chance = random.Random(record["method"])
    for seed in seeds:
        step["of"]["seed"] = record["seed"] = seed
        step["key"] = record["fit_key"] = key_of(step["of"])
        record["key"] = key_of(cell_material(record))
        scores = record["outcome"]["scores"]
        for task in scores:
            scores[task] = chance.random()
        record["outcome"]["mean"] = sum(scores.values()) / len(scores)
        for kind, content in (("steps", step), ("records", record)):
            key = content["key"]
            (store / kind / key[:2] / f"{key}.json").write_text(json.dumps(content, indent=2) + "\n")
    return record["method"]


def templates(store):
    records = [json.loads(path.read_text()) for path in store.glob("records/*/*.json")]
    for record in records:
        key = record["fit_key"]
        step = json.loads((store / "steps" / key[:2] / f"{key}.json").read_text())
        if key_of(step["of"]) != step["key"] or key_of(cell_material(record)) != record["key"]:
            sys.exit("this script does not make keys as molarena does")
        yield record, step


def calls(arena, seeds):
    """Times that a path in the store is named in the system calls of a run."""
    store = arena.folder / f"calls-{seeds}"
    command = arena.command("run", arena.suite(seeds), "--store", store, "--jobs", "1")
    trace = ["strace", "--follow-forks", "--decode-fds=path", "--trace=file,desc", "--output", arena.folder / "trace"]
    subprocess.run([*map(str, trace), *command], cwd=arena.folder, check=True, capture_output=True)
    with open(arena.folder / "trace", errors="replace") as lines:
        return sum(str(store) in line for line in lines)


def main():
    options = parse()
    seeds = options.cells // METHODS
    arena = Arena(options)
    print(f"{options.cells} cells")
    seconds, peak = arena.planned(arena.suite(seeds))
    print(f"plan: first step after {seconds:.1f} s, {peak:.0f} MiB", flush=True)
    arena.molarena("run", arena.suite(1), "--store", "full")
    store = arena.folder / "full"
    fill(store, list(templates(store)), range(1, seeds))
    seconds, peak, printed = arena.timed("run", arena.suite(seeds), "--store", "full")
    if f"{options.cells} finished before" not in printed:
        sys.exit(f"the run did not find all cells:\n{printed[-2000:]}")
    print(f"resume: {seconds:.1f} s, {peak:.0f} MiB", flush=True)
    seconds, peak, printed = arena.timed("board", "--store", "full", "--no-intervals")
    if f"| {seeds} |" not in " ".join(printed.split()):
        sys.exit(f"the board has other rows:\n{printed[-2000:]}")
    print(f"board: {seconds:.1f} s, {peak:.0f} MiB", flush=True)
    if shutil.which("strace"):
        few, many = 1, 11
        each = (calls(arena, many) - calls(arena, few)) / ((many - few) * METHODS)
        print(f"calls: {each:.0f} a step")
    if not options.keep:
        shutil.rmtree(options.folder)


if __name__ == "__main__":
    main()
