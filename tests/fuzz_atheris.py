"""Coverage-guided fuzzing of the core; not part of the test run.

    pip install atheris
    python tests/fuzz_atheris.py -max_total_time=600 corpus/

Every input is split into a text and the places to cut it at. What is checked is what
``test_fuzz.agree`` checks; a failure is kept as a file by the fuzzer.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["detector"]):
    from test_fuzz import agree


def one_input(data: bytes) -> None:
    provider = atheris.FuzzedDataProvider(data)
    cuts = [provider.ConsumeIntInRange(0, 4096) for _ in range(provider.ConsumeIntInRange(0, 6))]
    agree(provider.ConsumeBytes(4096), cuts)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
