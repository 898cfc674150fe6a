"""Where python-olm can't be installed (no wheels from Python 3.13 on), what needs it can't run, and says so."""

from importlib.util import find_spec

import pytest

collect_ignore: list[str] = []
if find_spec("olm") is None:
    collect_ignore += ["test_hardening.py", "test_signatures.py", "test_trust.py"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what was left out, and the cure."""
    if collect_ignore:
        terminalreporter.write_line(
            f"NOT RUN without python-olm: {', '.join(collect_ignore)}; "
            "cure: Python 3.11 or 3.12, for example make PYTHON=python3.12 check"
        )
