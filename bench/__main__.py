"""`python -m bench`: every benchmark, one after the other, each printing its table."""

import subprocess
import sys

BENCHMARKS = ("forward", "lesson", "switching", "devices", "join", "failover", "hostile", "share")


def main() -> None:
    failed = [name for name in BENCHMARKS if subprocess.run([sys.executable, "-m", f"bench.{name}"]).returncode]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
