"""Nothing that a server sends makes a reader raise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.bounds import bounded
from tests.fuzz.readers import READERS


@pytest.mark.parametrize("name", READERS)
@bounded()
@given(data=st.data())
def test_no_text_makes_a_reader_raise(name: str, data: st.DataObject) -> None:
    reader = READERS[name]
    pieces = st.sampled_from(reader.pieces) | st.text(max_size=3)
    repeated = st.builds(lambda piece, times: piece * times, pieces, st.integers(2, 40))
    reader.read("".join(data.draw(st.lists(pieces | repeated, max_size=30))))
