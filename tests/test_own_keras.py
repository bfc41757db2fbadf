"""A reader's own Keras settings: they work, or one line says which to change."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCRIPT = """
import sys
import dcgan_lib
try:
    if len(sys.argv) > 2:
        dcgan_lib.import_tensorflow()
        import keras
        keras.config.set_dtype_policy(sys.argv[2])
    run = dcgan_lib.train_dcgan_mnist("fast", sys.argv[1], "digits", max_images=64, batch_size=32,
        steps=2, hold_out=0, sample_every=None, verbose=False)
    print("ended with", run.generator.compute_dtype)
except dcgan_lib.UserError as error:
    print("refused:", error)
"""


def told(tmp_path, *arguments, settings=None, **variables) -> str:
    """What a training in a process of its own prints."""
    home = tmp_path / "keras"
    home.mkdir()
    if settings:
        known = {"backend": "tensorflow", "image_data_format": "channels_last"}
        known |= {"floatx": "float32", "epsilon": 1e-7}
        (home / "keras.json").write_text(json.dumps(known | settings))
    environment = os.environ | {"KERAS_HOME": str(home), "PYTHONPATH": str(ROOT)} | variables
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "run"), *arguments],
        env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


REFUSED = {
    "image_data_format=channels_first": {"settings": {"image_data_format": "channels_first"}},
    "floatx=float16": {"settings": {"floatx": "float16"}},
    "jax": {"KERAS_BACKEND": "jax"},
    "torch": {"settings": {"backend": "torch"}},
}


@pytest.mark.parametrize("setting", REFUSED)
def test_one_line_says_which_setting_to_change(setting, tmp_path):
    line = told(tmp_path, **REFUSED[setting])
    assert line.startswith("refused: Keras")
    assert setting in line
    assert "keras.json" in line
    assert "\n" not in line
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_the_legacy_switch_of_tensorflow_is_none_of_ours(tmp_path):
    assert told(tmp_path, TF_USE_LEGACY_KERAS="1") == "ended with float32"


@pytest.mark.slow
def test_a_global_policy_of_mixed_precision_is_not_taken_over(tmp_path):
    assert told(tmp_path, "mixed_float16") == "ended with float32"
