from __future__ import annotations

import torch

from experiments.translating.sheets import sheet, there_and_back


def test_large_tiles_keep_their_size_and_stand_on_white() -> None:
    black = torch.zeros(3, 160, 160, dtype=torch.uint8)
    picture = sheet([[None, black], [black, None]], headed=True)
    assert picture.shape == (3, 5 + 160 + 5 + 15 + 160 + 5, 5 + 160 + 5 + 15 + 160 + 5)
    assert picture.dtype == torch.uint8
    dark = (picture[0] == 0).nonzero()
    assert len(dark) == 2 * 160 * 160
    assert (picture[0, 5:165, 185:345] == 0).all() and (picture[0, 185:345, 5:165] == 0).all()


def test_small_tiles_are_enlarged_a_whole_number_of_times() -> None:
    tile = torch.arange(3 * 48 * 48).remainder(251).to(torch.uint8).view(3, 48, 48)
    picture = sheet([[tile]])
    assert torch.equal(picture[:, 4:148:3, 4:148:3], tile)  # 48 * 3 = 144; its gutter is round(144 / 32)


def test_a_loop_leaves_out_neither_end_nor_repeats_it() -> None:
    frames = [torch.tensor(number) for number in range(4)]
    assert [int(frame) for frame in there_and_back(frames)] == [0, 1, 2, 3, 2, 1]
    assert [int(frame) for frame in there_and_back(frames[:2])] == [0, 1]
