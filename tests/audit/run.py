"""The audit at length: the checks of `checks`, over cases that Hypothesis draws, until the time is up.

    make audit                                        # 10 minutes, seed 0
    python -m tests.audit.run --minutes 60 --seed 3 --report out/audit.md

It ends with a table of how many cases of every container passed every check. At the first failure it prints
the smallest case that Hypothesis finds, and the seed that finds it again, and ends with 1.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from .cases import ROWS, cases
from .checks import CHECKS, SLOW

EXAMPLES = 10
"""Cases that are drawn for one check of one container before the next one's turn."""


def audit(minutes: float, start: int) -> Counter[tuple[str, str]]:
    """Run the checks in turns until the time is up, and count the cases that passed."""
    passed: Counter[tuple[str, str]] = Counter()
    end, turn = time.monotonic() + 60 * minutes, start * 1_000_000
    while time.monotonic() < end:
        for check in CHECKS:
            for row in ROWS:
                if time.monotonic() < end:
                    turn += 1
                    _turn(check, row, turn, passed)
    return passed


def _turn(check: str, row: str, number: int, passed: Counter[tuple[str, str]]) -> None:
    @seed(number)
    @settings(
        max_examples=EXAMPLES // 5 if check in SLOW else EXAMPLES,
        deadline=None,
        database=None,
        derandomize=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def audited(data: st.DataObject) -> None:
        CHECKS[check](data.draw(cases((row,))))
        passed[check, row] += 1

    try:
        audited()
    except Exception:
        print(f"{check} of {row} failed in turn {number}:", file=sys.stderr)
        raise


def table(passed: Counter[tuple[str, str]]) -> str:
    """How many cases passed, by check and container."""
    lines = [f"| check | {' | '.join(ROWS)} |", "|---" * (len(ROWS) + 1) + "|"]
    for check in CHECKS:
        lines.append(f"| {check} | {' | '.join(str(passed[check, row]) for row in ROWS)} |")
    return "\n".join(lines)


def main() -> None:
    """Run, report and exit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--report", type=Path, help="also write the table to a file")
    options = parser.parse_args()
    try:
        passed = audit(options.minutes, options.seed)
    except Exception:
        traceback.print_exc()
        sys.exit(1)
    ran = f"seed {options.seed}, {options.minutes:g} minutes: {passed.total()} cases, none failed"
    text = f"{ran}\n\n{table(passed)}"
    print(text)
    if options.report:
        options.report.parent.mkdir(parents=True, exist_ok=True)
        options.report.write_text(f"# Audit\n\n{text}\n")


if __name__ == "__main__":
    main()
