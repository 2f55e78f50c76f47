"""Fill a broker's store, watch it, restart it, and write down what was seen.

    python -m bench.soak [--messages 100000000] [--variant keys | plain] [--report FILE]

A run takes 25 to 33 GB of disk, which is looked for first and given back at the end, also after Ctrl-C.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from bench.drivers import rmq_load
from bench.soak.report import write_report
from bench.soak.run import VARIANTS, Plan, soak

# Log, queue and index of a message, rounded up; and what the machine should keep free.
_MESSAGE_BYTES = {"plain": 270, "keys": 350}
_SPARE_BYTES = 4 * 2**30


def main() -> None:
    """Check, run, report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--messages", type=int, default=100_000_000)
    parser.add_argument("--variant", choices=VARIANTS, action="append", help="both if not given")
    parser.add_argument("--dir", type=Path, default=Path("target"), help="where the store is put")
    parser.add_argument("--report", type=Path, default=Path("bench/results/local/soak.md"))
    arguments = parser.parse_args()
    variants = arguments.variant or list(VARIANTS)
    if missing := rmq_load.missing():
        sys.exit(f"not built: {missing}")
    need = max(_MESSAGE_BYTES[variant] for variant in variants) * arguments.messages + _SPARE_BYTES
    free = shutil.disk_usage(arguments.dir).free
    if free < need:
        sys.exit(f"{arguments.dir} has {free / 1e9:.0f} GB free, the run needs {need / 1e9:.0f}: use --dir")
    seen = []
    for variant in variants:
        with tempfile.TemporaryDirectory(prefix="soak-", dir=arguments.dir) as directory:
            seen.append(soak(Plan(variant, arguments.messages), Path(directory)))
        write_report(arguments.report, seen)
    print(f"\nreport: {arguments.report}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
