"""Installs a wheel in the six layouts that have broken others, and runs it in each without cargo.

    python3 tests/wheel/layouts.py target/wheel/made/molarena-*.whl

Each layout has to bring the program with all plugins, and the Python package. In the virtual environment the demo world is made, run
and boarded, with the seconds that it took. Needs pip and an index that has numpy; uv, if it is there, for the ephemeral layout.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PLUGINS = {"baselines", "contrastive", "gnn", "infoalign", "language", "mlp", "onnx", "selfsupervised"}


def run(*command, **more):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **more)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def environment(home, path, **more):
    """Nothing of this session but what finds Python and its packages."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_", "SSL_"))}
    return {"HOME": str(home), "PATH": f"{path}:/usr/bin:/bin", "LANG": "C.UTF-8", **kept, **more}


def works(program, environ, folder, python=None):
    found = json.loads(run(program, "plugin", "list", "--json", env=environ, cwd=folder))
    names = {plugin["description"]["id"] for plugin in found["plugins"]}
    assert names == PLUGINS, names
    if python:
        package = run(*python, "-c", "import molarena; print(molarena.__file__)", env=environ, cwd=folder).strip()
        assert str(folder) in package or str(environ["HOME"]) in package, package


def layouts(wheel, work):
    home = work / "home"
    home.mkdir()
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-warn-script-location", "--root-user-action=ignore"]

    venv = work / "venv"
    started = time.monotonic()
    run(sys.executable, "-m", "venv", venv)
    run(venv / "bin/pip", *pip[3:], wheel)
    print(f"a virtual environment with the wheel: {time.monotonic() - started:.1f} s")
    yield "venv", venv / "bin/molarena", environment(home, venv / "bin"), [venv / "bin/python"]

    for option, name in [("--target", "target"), ("--prefix", "prefix")]:
        place = work / name
        run(*pip, option, place, "--break-system-packages", wheel)
        site = place if name == "target" else next(place.glob("**/site-packages"), None) or next(place.glob("**/dist-packages"))
        bin_folder = next(place.glob("**/bin"))
        yield name, bin_folder / "molarena", environment(home, bin_folder, PYTHONPATH=str(site)), [sys.executable]

    user = work / "user"
    run(*pip, "--user", "--break-system-packages", wheel, env=environment(home, "/usr/bin", PYTHONUSERBASE=str(user)))
    yield "user", user / "bin/molarena", environment(home, user / "bin", PYTHONUSERBASE=str(user)), [sys.executable]

    root = work / "system"
    run(*pip, "--root", root, "--break-system-packages", "--ignore-installed", wheel)
    bin_folder, site = next(root.glob("**/bin/molarena")).parent, next(root.glob("**/*-packages"))
    yield "system", bin_folder / "molarena", environment(home, bin_folder, PYTHONPATH=str(site)), [sys.executable]

    if uvx := shutil.which("uvx"):
        environ = environment(home, Path(uvx).parent, UV_CACHE_DIR=str(work / "uv"), UV_PYTHON=sys.executable)
        script = work / "ephemeral"
        script.write_text(f'#!/bin/sh\nexec {uvx} --from {wheel} molarena "$@"\n')
        script.chmod(0o755)
        yield "ephemeral", script, environ, None
    else:
        print("ephemeral: skipped, there is no uv")


def main():
    wheel = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        for name, program, environ, python in layouts(wheel, work):
            works(program, environ, work, python)
            print(f"{name}: {len(PLUGINS)} plugins")
            if name == "venv":
                started = time.monotonic()
                run(program, "data", "simulate", env=environ, cwd=work)
                methods = [part for name in ["constant", "morgan-knn", "morgan-rf"] for part in ["--method", name]]
                run(program, "run", "--dataset", "demo", *methods, "--seeds", "2", env=environ, cwd=work)
                board = run(program, "board", env=environ, cwd=work)
                assert "morgan-rf" in board, board
                print(f"demo to board: {time.monotonic() - started:.1f} s")


main()
