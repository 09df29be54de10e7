"""lit's configuration: `lit test` from any folder, with or without an installed mlc."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE), str(ROOT / "python")]

from inprocess import InProcess  # noqa: E402

config.name = "mlc"  # noqa: F821
config.test_format = InProcess()  # noqa: F821
config.suffixes = [".mlir"]  # noqa: F821
config.excludes = ["Output", "python", "planted", "mutations"]  # noqa: F821
config.test_source_root = str(HERE)  # noqa: F821
config.test_exec_root = str(ROOT / "build" / "lit")  # noqa: F821
config.substitutions += [  # noqa: F821
    (r"\bmlc-opt\b", f"{sys.executable} -m mlc.tools.mlc_opt"),
    (r"\bmlc-run\b", f"{sys.executable} -m mlc.tools.mlc_run"),
    (r"\bmlc-compile\b", f"{sys.executable} -m mlc.tools.mlc_compile"),
    (r"\bmlc-tune\b", f"{sys.executable} -m mlc.tools.mlc_tune"),
    (r"\bFileCheck\b", f"{sys.executable} -m filecheck"),
    (r"%examples", str(ROOT / "examples")),
    (r"%test", str(HERE)),
]
config.environment["PYTHONPATH"] = os.pathsep.join([str(ROOT / "python"), os.environ.get("PYTHONPATH", "")])  # noqa: F821
config.environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # noqa: F821
for name in ("HOME", "MLC_CACHE", "MLC_CACHE_DIR", "XDG_CACHE_HOME"):
    if name in os.environ:
        config.environment[name] = os.environ[name]  # noqa: F821
os.environ.setdefault("MLC_POISON", "1")  # every program runs in poisoned memory, also of tools in this process
config.environment["MLC_POISON"] = os.environ["MLC_POISON"]  # noqa: F821
os.environ.setdefault("MLC_TUNED", "0")  # no test depends on what somebody has measured
config.environment["MLC_TUNED"] = os.environ["MLC_TUNED"]  # noqa: F821
config.maxIndividualTestTime = 60  # noqa: F821
