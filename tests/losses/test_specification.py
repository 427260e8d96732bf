"""The grammar of texts, and what it refuses."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonedeaf.losses.specification import Term, format_term, parse


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("log_mss", [Term(1, "log_mss", {})]),
        ("mss[n_fft=4096;hop=64]", [Term(1, "mss", {"n_fft": "4096", "hop": "64"})]),
        (" 0.5 * a + b[x=1,2] ", [Term(0.5, "a", {}), Term(1, "b", {"x": "1,2"})]),
        ("1e+2*a+1e-3*b", [Term(100, "a", {}), Term(0.001, "b", {})]),
        ("./my-loss.py:MyLoss", [Term(1, "./my-loss.py:MyLoss", {})]),
        ("2*pkg.mod:Class[a=1e+5]", [Term(2, "pkg.mod:Class", {"a": "1e+5"})]),
        ("C:\\losses\\mine.py:MyLoss", [Term(1, "C:\\losses\\mine.py:MyLoss", {})]),
    ],
)
def test_reads(text: str, terms: list[Term]):
    assert list(parse(text)) == terms


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a distance"),
        ("a + ", "is not a distance"),
        ("a[b", "is not a distance"),
        ("a]b", "is not a distance"),
        ("a[b]", "'b' in 'a\\[b\\]' is not key=value"),
        ("a[=1]", "is not key=value"),
        ("a[b=1;b=2]", "'b' is given twice"),
        ("x*a", "weight in 'x\\*a' is not a number"),
        ("0*a", "must be positive"),
        ("-1*a", "must be positive"),
        ("inf*a", "positive and finite"),
        ("nan*a", "positive and finite"),
    ],
)
def test_refuses(text: str, message: str):
    with pytest.raises(ValueError, match=message):
        parse(text)


_NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,12}", fullmatch=True)
_VALUES = st.one_of(st.integers(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False), _NAMES)


@given(_NAMES, st.dictionaries(_NAMES, _VALUES, max_size=4))
def test_formatting_and_reading_are_inverse(name: str, parameters: dict[str, object]):
    (term,) = parse(format_term(name, parameters))
    assert term.name == name
    assert list(term.parameters) == list(parameters)
    for key, value in parameters.items():
        assert term.parameters[key] == (str(value).lower() if isinstance(value, bool) else str(value))


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_in_words(text: str):
    with contextlib.suppress(ValueError):
        assert parse(text)
