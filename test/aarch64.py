"""Runs tests in a process of aarch64 under qemu-user, on Linux of another architecture and without being root.

    python test/aarch64.py FOLDER                        the fast share: a fixed sample of the tests of native code
    python test/aarch64.py FOLDER test/python/test_emit.py -q    pytest with these arguments
    FOLDER/python anything.py                            Python of aarch64, once the folder is made

What is missing is fetched into FOLDER: qemu and Debian's Python for arm64 by apt, whose sources must be Debian's, and
from PyPI the versions of packages that this Python has. Later runs need no network. What programs compile to is cached
there too.
"""

from __future__ import annotations

import argparse
import compileall
import contextlib
import importlib.metadata
import io
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

SHARE: dict[str, int] = {
    "test_machine.py": 3,
    "test_emit.py": 6,
    "test_emit_table.py": 8,
    "test_lower_loop.py": 5,
    "test_scalar_functions.py": 2,
    "test_conversions.py": 1,
    "test_targets.py": 3,
    "test_ops_native.py": 2,
    "test_convolution.py": 2,
    "test_tile_edges.py": 3,
    "test_schedules.py": 1,
    "test_random_kernels.py": 1,
    "test_executable.py": 4,
    "test_native_call.py": 4,
    "test_embedding.py": 3,
    "test_parallel.py": 4,
    "test_control_native.py": 2,
    "test_effects_native.py": 2,
    "test_saved.py": 1,
    "test_cache.py": 2,
}
"""Files, and how many of their tests are in the fast share."""

TIMES = "times of an emulated CPU mean nothing"
SKIPPED: dict[str, str] = {
    "test_executable.py::test_a_call_costs_little": TIMES,
}
"""Why some tests say nothing here, by the beginning of their name."""

LIBRARIES = ("python3", "libstdc++6")
PACKAGES = ("numpy", "llvmlite", "ml_dtypes", "xdsl", "pytest", "hypothesis", "tqdm", "lit", "filecheck")

QEMU = "qemu-aarch64-static"
CPU = "neoverse-n1"
CPUINFO = """\
processor\t: 0
Features\t: fp asimd aes pmull sha1 sha2 crc32 atomics fphp asimdhp asimdrdm lrcpc dcpop asimddp ssbs
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x3
CPU part\t: 0xd0c
CPU revision\t: 1

"""
"""That CPU's /proc/cpuinfo: before version 8.2, qemu shows the one of the machine that it runs on."""


# ---- the environment


def make(folder: Path) -> None:
    """Fetch what is missing; what was interrupted begins anew."""
    with step(folder / "qemu") as missing:
        if missing:
            host = output("dpkg", "--print-architecture").strip()
            debian(folder, host, ["download", f"qemu-user-static:{host}"], folder / "qemu")
            for program in (folder / "qemu" / "usr" / "bin").iterdir():
                if program.name != QEMU:
                    program.unlink()
    with step(folder / "root") as missing:
        if missing:
            debian(folder, "arm64", ["install", "--download-only", "-y", *LIBRARIES], folder / "root")
            (folder / "root" / "proc").mkdir()
            (folder / "root" / "proc" / "cpuinfo").write_text(CPUINFO)
    with step(folder / "packages") as missing:
        if missing:
            wheels(folder)
    python = folder / "python"
    python.write_text(WRAPPER.format(qemu=QEMU, folder=folder, root=ROOT, cpu=CPU, python=interpreter(folder)))
    python.chmod(0o755)


WRAPPER = """#!/bin/sh
export PYTHONHOME='{folder}/root/usr' PYTHONPATH='{root}/python:{root}/test:{folder}/packages'
export MLC_CACHE_DIR='{folder}/cache'
unset PYTHONDONTWRITEBYTECODE
exec '{folder}/qemu/usr/bin/{qemu}' -cpu {cpu} -L '{folder}/root' -0 "$0" '{python}' "$@"
"""
"""`-0`: a process that Python starts by the name of its own program is one of aarch64 again."""


@contextlib.contextmanager
def step(folder: Path) -> Iterator[bool]:
    """Is a folder missing? Then it is made, and said to be there once all is in it."""
    done, start = folder.with_name(f"{folder.name}.done"), time.perf_counter()
    missing = not done.exists()
    if missing:
        output("rm", "-rf", str(folder))
        folder.mkdir(parents=True)
    yield missing
    if missing:
        done.touch()
        print(f"{folder}: made in {time.perf_counter() - start:.0f} s", flush=True)


def debian(folder: Path, architecture: str, command: Sequence[str], where: Path) -> None:
    """Packages of an architecture, by an apt that knows of no installed ones, unpacked into a folder."""
    state = folder / "apt" / architecture
    archives = state / "archives"
    for path in (state / "lists" / "partial", archives / "partial"):
        path.mkdir(parents=True, exist_ok=True)
    (state / "status").touch()
    options = {
        "APT::Architecture": architecture,
        "APT::Architectures": "",
        "APT::Architectures::": architecture,
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "",
        "Debug::NoLocking": "true",
        "Dir::State": state,
        "Dir::State::lists": state / "lists",
        "Dir::State::status": state / "status",
        "Dir::Cache": state,
        "Dir::Cache::archives": archives,
    }
    apt = ["apt-get", "-qq", *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]
    output(*apt, "update")
    output(*apt, *command, cwd=archives)
    for package in sorted(archives.glob("*.deb")):
        output("dpkg", "-x", str(package), str(where))
        package.unlink()


def interpreter(folder: Path) -> Path:
    """The program python3.N; what is named python3 is a link with an absolute target."""
    (found,) = (p for p in (folder / "root" / "usr" / "bin").iterdir() if re.fullmatch(r"python3\.\d+", p.name))
    return found


def wheels(folder: Path) -> None:
    """The packages' wheels for that Python; compiled by this one if the version is the same."""
    wanted, number = folder / "packages", interpreter(folder).name.removeprefix("python")
    platforms = [f"manylinux_2_{n}_aarch64" for n in range(17, 37)] + ["manylinux2014_aarch64"]
    where = ["--only-binary", ":all:", "--python-version", number, *(f"--platform={name}" for name in platforms)]
    names = [f"{name}=={importlib.metadata.version(name)}" for name in PACKAGES]
    output(sys.executable, "-m", "pip", "install", "-q", "--no-compile", "--target", str(wanted), *where, *names)
    if f"{sys.version_info.major}.{sys.version_info.minor}" == number:
        with contextlib.redirect_stdout(io.StringIO()):
            for path in (wanted, folder / "root" / "usr" / "lib" / f"python{number}"):
                compileall.compile_dir(path, quiet=2)


def output(*command: str, cwd: Path | None = None) -> str:
    run = subprocess.run(command, check=False, cwd=cwd, capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(f"{' '.join(command)}\n{run.stdout}{run.stderr}exit code {run.returncode}")
    return run.stdout


# ---- pytest, which loads this file as a plugin


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    """Skip what says nothing here; of the fast share, keep the same sample in every run."""
    import pytest

    if os.environ.get("MLC_SHARE"):
        kept = set[int]()
        for name, count in SHARE.items():
            own = [k for k, item in enumerate(items) if item.path.name == name and not reason(item)]
            kept |= set(random.Random(name).sample(own, min(count, len(own))))
        items[:] = [item for k, item in enumerate(items) if k in kept]
    for item in items:
        if reason(item):
            item.add_marker(pytest.mark.skip(reason=reason(item)))


def reason(item: Any) -> str:
    return next((why for name, why in SKIPPED.items() if f"{item.path.name}::{item.name}".startswith(name)), "")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, usage="%(prog)s FOLDER [PYTEST ...]"
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where the environment is, or is to be made")
    parser.add_argument("pytest", nargs=argparse.REMAINDER, metavar="PYTEST", help="arguments of pytest")
    given = parser.parse_args(arguments)
    folder: Path = given.folder.resolve()
    make(folder)
    share = [f"test/python/{name}" for name in SHARE]
    command = [str(folder / "python"), "-m", "pytest", "-p", "aarch64", *(given.pytest or ["-q", *share])]
    environment = dict(os.environ, MLC_SHARE="" if given.pytest else "1")
    return subprocess.run(command, check=False, cwd=ROOT, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
