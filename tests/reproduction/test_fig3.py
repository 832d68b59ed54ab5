"""How unguided structures are compared with molecular dynamics."""

import numpy as np

from acgen.reproduction.fig3 import splits


def test_splits_are_of_one_size_and_share_out_each_kind():
    kinds = [600, 600, 1200, 1200, 3000, 3000, 6000, 6000, 1200]
    for first, second in splits(kinds, 10):
        assert len(first) == len(second) == 4
        assert not set(first) & set(second)
        shares = [sorted(kinds[k] for k in half) for half in (first, second)]
        assert np.abs(np.subtract(*shares)).max() <= 3000
    assert len({tuple(sorted(first)) for first, _ in splits(kinds, 10)}) > 3
