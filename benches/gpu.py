#!/usr/bin/env python3
"""Checks and times InfoAlign on a device of LibTorch, and writes the results into a report.

    python3 benches/gpu.py                          # libtorch-cuda:0, against PyTorch on the same card
    python3 benches/gpu.py --device libtorch        # the same steps on the processor

1. Builds the tests and the benchmark with the feature `libtorch`.
2. Runs the tests of molarena-nn and molarena-infoalign, which compare every device that they find with the processor and with
   the reference implementation's outputs (`MOLARENA_GOLDEN`); tests without their files say that they were skipped.
3. Runs `infoalign_vs_torch.py`, which compares pretraining and encoding with the same network in PyTorch, taking turns.

It needs cargo (Rust 1.95 or later), a C++ compiler, this Python with PyTorch and NumPy, ChEMBL2K in `MOLARENA_DATA` (or its
arrays in --arrays, written by `infoalign_time export`), and for a CUDA device one that PyTorch sees. It says at the start what
is missing. LibTorch comes from this Python's PyTorch or from the tree that `LIBTORCH` names. The bindings were written for
PyTorch 2.9, and 2.11 also works. Only cargo downloads anything.
"""

import argparse
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

import comparison

TESTED = ["molarena-nn", "molarena-infoalign"]
# Both builds use the same settings, so that the second reuses the dependencies of the first.
PACKAGES = [*TESTED, "molarena-benches-networks"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="libtorch-cuda:0", help="libtorch, or libtorch-cuda:N")
    parser.add_argument("--report", type=Path, default=Path("gpu-report.md"), help="file to write")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--molecules", type=int, default=2048)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--arrays", type=Path, default=Path("/tmp/molarena-graphs"), help="where the arrays are or go")
    options = parser.parse_args()
    if options.device != "libtorch" and not options.device.startswith("libtorch-cuda:"):
        parser.error(f"--device {options.device}: must be libtorch or libtorch-cuda:N")
    return options


def missing(options):
    """A description of what this machine lacks."""
    lacks = [f"`{tool}` is not in PATH" for tool in ("cargo", "c++") if shutil.which(tool) is None]
    modules = [name for name in ("torch", "numpy") if importlib.util.find_spec(name) is None]
    lacks += [f"{sys.executable} has no module `{name}`" for name in modules]
    if "torch" not in modules and options.device != "libtorch":
        import torch

        number = options.device.split(":")[1]
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if not number.isdigit() or int(number) >= count:
            lacks.append(f"PyTorch {torch.__version__} sees {count} CUDA devices, and `{options.device}` is none of them")
    data = Path(os.environ.get("MOLARENA_DATA", "molarena-data")) / "chembl2k"
    if not (options.arrays / "chembl2k.npz").exists() and not data.is_dir():
        lacks.append(f"{data} is not there: set MOLARENA_DATA")
    return lacks


def libtorch():
    """Environment variables for the build, and the folder of the libraries."""
    if tree := os.environ.get("LIBTORCH"):
        return {}, Path(tree) / "lib"
    import torch

    # The build asks `python3`, or `python` inside a virtual environment; both must be this interpreter.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    variables = {"LIBTORCH_USE_PYTORCH": "1", "LIBTORCH_BYPASS_VERSION_CHECK": "1", "PATH": path}
    return variables, Path(torch.__file__).parent / "lib"


def cargo(variables, *command):
    """Package folder and path of each program that a build produced."""
    command = ["cargo", *command, "--release", "--message-format=json-render-diagnostics"]
    command += [part for name in PACKAGES for part in ("-p", name)]
    command += ["--features", ",".join(f"{name}/libtorch" for name in PACKAGES)]
    output = subprocess.run(
        command, cwd=comparison.ROOT, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | variables
    ).stdout
    messages = [json.loads(line) for line in output.splitlines()]
    return [
        (Path(message["manifest_path"]).parent, Path(message["executable"]))
        for message in messages
        if message.get("executable")
    ]


def run(title, command, folder, environment):
    """The report's section on a step, and whether the step succeeded."""
    start = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, check=False
    )
    seconds = time.perf_counter() - start
    outcome = "passed" if done.returncode == 0 else f"failed with exit code {done.returncode}"
    print(f"{title}: {outcome} in {seconds:.0f} s", flush=True)
    return f"## {title}: {outcome}\n\n{seconds:.0f} s\n\n```\n{done.stdout.strip()}\n```\n", done.returncode == 0


def machine(options, library):
    """The head of the report."""
    import torch

    def said(*command):
        return subprocess.run(command, cwd=comparison.ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()

    card = "" if options.device == "libtorch" else f", {torch.cuda.get_device_name(int(options.device.split(':')[1]))}"
    changed = " with changes" if said("git", "status", "--porcelain", "--untracked-files=no") else ""
    return (
        f"# InfoAlign on `{options.device}`\n\n"
        f"- commit {said('git', 'rev-parse', 'HEAD')}{changed}, {time.strftime('%Y-%m-%d %H:%M')}\n"
        f"- {platform.platform()}, {os.cpu_count()} processors{card}\n"
        f"- Python {platform.python_version()}, PyTorch {torch.__version__}, {said('cargo', '--version')}\n"
        f"- LibTorch in {library}\n"
    )


def main():
    options = arguments()
    if lacks := missing(options):
        sys.exit("this needs more than is here:\n" + "\n".join(f"- {line}" for line in lacks))
    variables, library = libtorch()
    environment = comparison.with_libraries(library)
    sections = [machine(options, library)]
    [(_, binary)] = cargo(variables, "build", "--bin", "infoalign_time")
    found = json.loads(subprocess.check_output([binary, "devices"], env=environment, text=True))["devices"]
    if options.device not in found:
        sys.exit(f"device {options.device} is not among those that the build finds here: {', '.join(found)}")
    sections.append(f"- devices of the build: {', '.join(found)}\n")
    well = True
    for folder, program in cargo(variables, "test", "--no-run", "--lib"):
        section, passed = run(f"tests of {folder.name}", [program], folder, environment)
        sections.append(section)
        well &= passed
    command = [sys.executable, "benches/infoalign_vs_torch.py", "--venv", sys.prefix, "--binary", binary]
    command += ["--our-device", options.device, "--libtorch", library, "--arrays", options.arrays]
    command += ["--torch-device", options.device.removeprefix("libtorch-") if ":" in options.device else "cpu"]
    for name in ("threads", "molecules", "batch", "epochs", "turns"):
        command += [f"--{name}", str(getattr(options, name))]
    section, passed = run("speed against PyTorch", command, comparison.ROOT, dict(os.environ))
    sections.append(section)
    options.report.write_text("\n".join(sections))
    print(f"wrote {options.report}")
    sys.exit(0 if well and passed else 1)


if __name__ == "__main__":
    main()
