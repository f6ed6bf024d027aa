import pytest
import torch

from core.metrics.factors import content_errors, real_style, style_spread

NAMES = ("content.x", "content.y", "content.tilt", "style.hue", "style.stripes")


def test_content_errors_are_distances() -> None:
    truth = torch.tensor([[1.0, 2.0, 0.5, 0.0, 0.0]])
    read = torch.tensor([[[4.0, 6.0, 0.25, 9.0, 9.0], [1.0, 2.0, 0.5, 0.0, 0.0]]])
    errors = content_errors(NAMES, truth, read)
    assert set(errors) == {"position_error", "tilt_error"}  # size and background are no factors here
    assert errors["position_error"].tolist() == [[5.0, 0.0]]
    assert errors["tilt_error"].tolist() == [[0.25, 0.0]]


def test_style_spread() -> None:
    real = torch.tensor([0.0, 0.0, 0.0, 2.0, 0.0], dtype=torch.float64)
    read = torch.zeros(2, 2, 5)
    read[0, :, 3] = torch.tensor([0.0, 2.0])  # variance 2
    read[1, :, 3] = torch.tensor([0.0, 6.0])  # variance 18
    read[..., 0] = torch.randn(2, 2)  # content does not count
    assert style_spread(read, real) == pytest.approx(10**0.5 / 2, rel=1e-9)
    assert style_spread(torch.zeros(2, 2, 5), real) == 0
    assert style_spread(read, torch.zeros(5)) is None


def test_real_style_leaves_out_content_and_what_is_constant() -> None:
    truth = torch.tensor([[0.0, 0, 0, 1, 3], [1.0, 1, 1, 2, 3]])
    read = torch.tensor([[0.0, 0, 0, 1, 3], [1.0, 1, 1, 3, 4]])
    assert real_style(NAMES, truth, read).tolist() == pytest.approx([0, 0, 0, 2**0.5, 0])
    assert real_style(NAMES, truth[:1], read[:1]).tolist() == [0] * 5
    assert real_style((), torch.zeros(3, 0), torch.zeros(3, 0)).shape == (0,)
