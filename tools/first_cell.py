import importlib.util
import os
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is loaded
for folder in (Path.cwd(), Path.cwd().parent):  # in a clone, its own library comes first
    if (folder / "dcgan_lib" / "__init__.py").exists():
        sys.path.insert(0, str(folder))
if importlib.util.find_spec("dcgan_lib") is None:  # alone, as in Colab: install it
    address = "unset"
    source = os.environ.get("DCGAN_SOURCE", address)
    if source == "unset":
        raise RuntimeError("set DCGAN_SOURCE to a folder or git address to install dcgan_lib from")
    there = [d for d in distributions() if d.name in ("tensorflow", "keras", "numpy")]
    keep = [f"{d.name}=={d.version}" for d in there]  # never reinstall these
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", source, *keep], check=True)

import dcgan_lib

dcgan_lib.import_tensorflow()
