"""What goes wrong in the controller itself; `devices`, `rooms` and `webrtc` have trees of their own.

ControllerError                           each package below has an `errors.py` with its own part of the tree
├── FileDamaged       (ValueError)        a small file of ours is empty, no UTF-8 or cannot be read
├── CertificateError  (RuntimeError)      certificate files are missing or do not belong together
└── ListenFailed      (RuntimeError)      the configured address cannot be listened on
"""


class ControllerError(Exception):
    """Base of all errors raised by `controller`."""


class FileDamaged(ControllerError, ValueError):
    pass


class CertificateError(ControllerError, RuntimeError):
    pass


class ListenFailed(ControllerError, RuntimeError):
    pass
