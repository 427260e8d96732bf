import pytest

from tonedeaf.bassnet.dilations import dilations, receptive_field


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (10, (1, 1, 1, 1, 1)),
        (20, (1, 1, 2, 3, 3)),
        (40, (1, 2, 3, 5, 9)),
        (88, (1, 2, 5, 11, 25)),
        (264, (1, 3, 9, 29, 90)),
    ],
)
def test_dilations_of_the_sizes_in_use(size: int, expected: tuple[int, ...]):
    found = dilations(size, blocks=5, kernel=3)
    assert found == expected
    assert receptive_field(found, 3) == 1 + 2 * sum(expected) >= size


@pytest.mark.parametrize(("blocks", "kernel"), [(2, 3), (3, 5), (5, 3), (5, 5)])
def test_no_smaller_growth_reaches(blocks: int, kernel: int):
    # A dilation changes where r^i passes a half: the first such growth that reaches is the smallest of all.
    places = {1.0} | {(m + 0.5) ** (1 / i) * (1 + 1e-12) for i in range(1, blocks) for m in range(1, 300)}
    growths = [tuple(int(r**i + 0.5) for i in range(blocks)) for r in sorted(places)]
    for size in range(1, 265):
        first = next(growth for growth in growths if receptive_field(growth, kernel) >= size)
        assert dilations(size, blocks=blocks, kernel=kernel) == first


def test_one_block_cannot_see_far():
    assert dilations(3, blocks=1, kernel=3) == (1,)
    with pytest.raises(ValueError, match="1 block with a kernel of 3 cannot see 88"):
        dilations(88, blocks=1, kernel=3)
