import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovrisisbench.records.json_text import json_text

contents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(contents)
def test_any_content_reads_back_unchanged(content):
    assert json.loads(json_text(content)) == content


@given(st.dictionaries(st.text(), st.integers()))
def test_the_order_of_keys_leaves_no_trace(content):
    assert json_text(dict(reversed(content.items()))) == json_text(content)


def test_what_json_cannot_hold_is_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text({"miou": float("nan")})
