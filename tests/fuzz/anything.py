"""What strangers may send: text of every kind, JSON of every shape, and how long each test tries.

In the check every run tries the same few examples; with ``DPOBOT_FUZZ_EXAMPLES`` (``make fuzz``) as many as that says,
others each time.
"""

import os
from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

Test = TypeVar("Test", bound=Callable[..., Any])
_LONG = os.environ.get("DPOBOT_FUZZ_EXAMPLES")

NASTY = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><b>",
    "javascript:alert(1)",
    "{{ 7*7 }}",
    "../../../etc/passwd",
    "C:\\con",
    "/",
    "\x00",
    "\x1b[31m",
    "\ud800",
    "\u202egnp.exe",
    "\u2066",
    "\ufeff",
    "\u200d",
    "é",
    "e\u0301",
    "🏴\U000e0067",
    "ﬁ",
    "İ",
    "ẞ",
    "'; DROP TABLE inbox; --",
    "%s%n",
    "$(id)",
    "-1",
    "9" * 400,
    "1e999",
    "NaN",
    "!dpo",
    "`" * 8,
    "<mx-reply>",
    "\r\n",
    "@room",
    "a" * 600,
)

texts = st.one_of(
    st.sampled_from(NASTY),
    st.text(st.characters(exclude_categories=()), max_size=40),
    st.builds("{}{}".format, st.sampled_from(NASTY), st.text(max_size=10)),
)
numbers = st.one_of(
    st.integers(), st.floats(), st.sampled_from([0, -1, 2**31, 2**53, 2**63, 2**64, 10**30, -(10**30), 1e308])
)
leaves = st.one_of(st.none(), st.booleans(), numbers, texts)


def json_with(keys: st.SearchStrategy[str], more: st.SearchStrategy[Any] = leaves) -> st.SearchStrategy[Any]:
    """Return JSON of any shape, whose objects have these names."""
    names = st.one_of(keys, texts)
    return st.recursive(
        st.one_of(leaves, more),
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=5)),
        max_leaves=15,
    )


def fuzzed(few: int) -> Callable[[Test], Test]:
    """Let a test try ``few`` examples in the check, and as many as were asked for in a long run."""
    return settings(
        max_examples=int(_LONG) if _LONG else few,
        derandomize=_LONG is None,
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
    )
