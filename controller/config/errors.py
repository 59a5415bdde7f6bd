"""What goes wrong with config.yaml.

ControllerError
└── ConfigError  (ValueError)  it cannot be used; carries every problem found
"""

from dataclasses import dataclass
from pathlib import Path

from controller.errors import ControllerError


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigProblem:
    """One thing wrong in a configuration file, and what to write instead."""

    file: Path
    line: int  # 1-based; 0 when the file as a whole is meant
    key: str  # path of keys, e.g. `http.tls.key`; empty for the whole file
    advice: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        return f"{place}: {self.key}: {self.advice}" if self.key else f"{place}: {self.advice}"


class ConfigError(ControllerError, ValueError):
    """`str()` has one line per problem, in the order of the file."""

    def __init__(self, problems: tuple[ConfigProblem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))
