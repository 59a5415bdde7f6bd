"""What goes wrong in the controller itself; `devices`, `rooms` and `webrtc` have trees of their own.

ControllerError
├── ConfigError        (ValueError)       config.yaml cannot be used; carries every problem found
├── ChildFailed        (RuntimeError)     a child process cannot be started, and trying again will not help
├── BrokerUnavailable  (ConnectionError)  the embedded broker is not running now; it is being restarted
├── NodeUnavailable    (ConnectionError)  no bridge node can take or answer this now; it is being reached again
├── NodeNotFound       (LookupError)      no node has this name
├── NodeNameTaken      (RuntimeError)     a node of this name is there already
├── RegistrationRefused (PermissionError) a node gave another secret than ours, or none may register
├── ListenFailed       (RuntimeError)     the configured address cannot be listened on
├── ControllerAway     (ConnectionError)  no controller runs here that an operator's command could ask
├── OperatorRefused    (PermissionError)  this user of the machine may not operate the controller
├── DutyChanged        (RuntimeError)     somebody else took the node back into use, or it started anew
├── FileDamaged        (ValueError)       a small file of ours is empty, no UTF-8 or cannot be read
├── PasswordsElsewhere (RuntimeError)     the broker is not ours, so are its passwords
├── RoomInUse          (RuntimeError)     a live lesson rules the room
└── CertificateError   (RuntimeError)     certificate files are missing or do not belong together
"""

from dataclasses import dataclass
from pathlib import Path


class ControllerError(Exception):
    """Base of all errors raised by `controller`."""


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


class ChildFailed(ControllerError, RuntimeError):
    pass


class BrokerUnavailable(ControllerError, ConnectionError):
    pass


class CertificateError(ControllerError, RuntimeError):
    pass


class NodeUnavailable(ControllerError, ConnectionError):
    pass


class NodeNotFound(ControllerError, LookupError):
    pass


class NodeNameTaken(ControllerError, RuntimeError):
    pass


class RegistrationRefused(ControllerError, PermissionError):
    pass


class FileDamaged(ControllerError, ValueError):
    pass


class RoomInUse(ControllerError, RuntimeError):
    pass


class PasswordsElsewhere(ControllerError, RuntimeError):
    pass


class ListenFailed(ControllerError, RuntimeError):
    pass


class ControllerAway(ControllerError, ConnectionError):
    pass


class OperatorRefused(ControllerError, PermissionError):
    pass


class DutyChanged(ControllerError, RuntimeError):
    pass
