"""Reads `config.yaml` into `controller.config`; reports everything that is wrong with it at once."""

import os
from collections.abc import Mapping
from pathlib import Path

from controller.config import Config


def read_config(file: Path, *, environ: Mapping[str, str] = os.environ) -> Config:
    """The configuration in `file`; what it leaves out has the sample's value.

    Relative paths are relative to the file's directory. Raises `ConfigError` with all problems found.
    """
    raise NotImplementedError
