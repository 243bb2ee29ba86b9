"""Everything that an interrupted training needs to go on as if nothing had happened."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from captioner.errors import CaptionerError
from captioner.replacing import replacing


def save_checkpoint(path: Path, variables: Sequence[Any], progress: dict[str, Any]) -> None:
    """Writes variables and progress as one file, atomically.

    Args:
        path: A .safetensors file.
        variables: Keras variables: weights, optimizer state, states of random generators.
        progress: What JSON can hold: the epoch, the scores so far.
    """
    # By number: Keras names a variable by what else was built in the process.
    arrays = {
        str(number): np.asarray(ops.convert_to_numpy(variable.value), order="C")
        for number, variable in enumerate(variables)
    }
    with replacing(path) as partial:
        try:
            save_file(arrays, partial, metadata={"progress": json.dumps(progress)})
        except SafetensorError as error:  # which hides the OSError of a full disk
            raise OSError(str(error)) from error


def load_checkpoint(path: Path, variables: Sequence[Any]) -> dict[str, Any]:
    """Assigns the variables and returns the progress.

    Raises:
        CaptionerError: If the checkpoint is broken, or is of another network or optimizer.
    """
    mend = "the config may have changed since; delete the run's folder to train anew"
    try:
        with safe_open(path, framework="numpy") as file:
            keys = [str(number) for number in range(len(variables))]
            if set(keys) != set(file.keys()):
                raise CaptionerError(f"{path} is the checkpoint of another network: {mend}")
            for key, variable in zip(keys, variables, strict=True):
                variable.assign(file.get_tensor(key))
            progress: dict[str, Any] = json.loads(file.metadata()["progress"])
            return progress
    except (SafetensorError, ValueError) as error:
        raise CaptionerError(f"{path} cannot be loaded ({error}): {mend}") from error
