"""The networks: sizes as published, parts that do what their names say."""

from __future__ import annotations

from typing import Any, get_args

import pytest
import torch
from torch import Tensor, nn

from core import config as configuration
from core.config import GUIDES, Config, changed
from core.model.build import CODES, HEADS, INJECTIONS, build_discriminator, build_translator
from core.model.layers import (
    AdaptiveNorm,
    BareBlock,
    DomainLinear,
    NoNorm,
    PlainNorm,
    ResidualBlock,
    SelfAttention,
    of_domain,
)
from tests.core.settings import LABEL, random_batch, tiny


def count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def test_names_are_those_of_the_configuration() -> None:
    assert tuple(CODES) == get_args(configuration.Code) == tuple(GUIDES)
    assert tuple(INJECTIONS) == get_args(configuration.Injection)
    assert tuple(HEADS) == get_args(configuration.Head)
    assert {name: code.guides for name, code in CODES.items()} == GUIDES


@pytest.mark.parametrize(
    ("domains", "mapping", "encoder", "discriminator"),
    [
        (2, 2_438_272, 20_916_928, 20_852_290),
        (3, 3_259_072, None, None),
    ],
)
def test_parameters_at_the_papers_sizes(
    domains: int, mapping: int, encoder: int | None, discriminator: int | None
) -> None:
    config = changed(Config(), {"data.domains": [str(d) for d in range(domains)]})
    with torch.device("meta"):
        translator, judge = build_translator(config), build_discriminator(config)
    assert count(translator.generator) == 33_892_995
    assert count(translator.code.mapping_network) == mapping
    if encoder is not None:
        assert count(translator.code.style_encoder) == encoder
        assert count(judge) == discriminator


def test_parameters_with_the_high_pass_skip() -> None:
    config = changed(Config(), {"model.high_pass": 1, "model.landmarks": "landmarks.pt"})
    with torch.device("meta"):
        generator = build_translator(config).generator
    assert count(generator) == 43_467_395
    assert {type(block) for block in generator.decoder} == {BareBlock}
    assert len(generator.decoder) == len(generator.encoder) == 2 + 5


@pytest.mark.parametrize("resolution", [16, 32, 64])
@pytest.mark.parametrize("code", ["label", "latent", "style"])
@pytest.mark.parametrize("injection", ["concat", "adain"])
def test_images_keep_their_shape(resolution: int, code: str, injection: str) -> None:
    changes: dict[str, Any] = LABEL if code == "label" else {"model.code": code}
    config = tiny(model__resolution=resolution, model__injection=injection, **changes)
    translator, batch = build_translator(config), random_batch(config)
    assert batch.image is not None
    made = translator.code.of_noise(batch.latent, batch.target)
    read = translator.code.of_image(batch.image, batch.target)
    assert made.shape == read.shape == (3, translator.code.dim)
    assert translator(batch.image, made).shape == batch.image.shape


def test_the_discriminator_looks_at_the_asked_branch() -> None:
    config = tiny()
    discriminator, batch = build_discriminator(config), random_batch(config)
    assert batch.image is not None
    every = [discriminator(batch.image, torch.full((3,), domain)).score for domain in range(3)]
    asked = discriminator(batch.image, torch.tensor([2, 0, 1])).score
    assert torch.allclose(asked, torch.stack([every[2][0], every[0][1], every[1][2]]))
    acgan = build_discriminator(tiny(model__head="acgan", loss__classification=1))
    verdicts = [acgan(batch.image, torch.full((3,), domain)) for domain in range(2)]
    assert torch.equal(verdicts[0].score, verdicts[1].score)
    assert verdicts[0].classes.shape == (3, 3)


def test_a_residual_block_by_its_formula() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 3, 8, 8)
    act, pool = nn.LeakyReLU(0.2), nn.AvgPool2d(2)
    down = ResidualBlock(3, 5, NoNorm, "down")
    expected = (pool(down.shortcut(x)) + down.conv2(act(pool(down.conv1(act(x)))))) / 2**0.5
    assert torch.allclose(down(x), expected, atol=1e-6)
    up, grow = ResidualBlock(3, 5, NoNorm, "up"), nn.Upsample(scale_factor=2)
    expected = (up.shortcut(grow(x)) + up.conv2(act(up.conv1(grow(act(x)))))) / 2**0.5
    assert torch.allclose(up(x), expected, atol=1e-6)


def test_adaptive_norm_sets_mean_and_deviation() -> None:
    torch.manual_seed(0)
    norm, code = AdaptiveNorm(3, 4), torch.randn(2, 4)
    out = norm(torch.randn(2, 3, 16, 16) * 5 + 7, code)
    scale, shift = norm.affine(code).chunk(2, dim=1)
    assert torch.allclose(out.mean((2, 3)), shift, atol=1e-5)
    assert torch.allclose(out.std((2, 3), correction=0), (1 + scale).abs(), atol=1e-4)


def test_plain_norm_ignores_the_code() -> None:
    norm, x = PlainNorm(3), torch.randn(2, 3, 4, 4)
    assert torch.equal(norm(x, torch.zeros(2, 4)), norm(x, torch.ones(2, 4)))


def test_self_attention_starts_as_the_identity_and_follows_its_formula() -> None:
    torch.manual_seed(0)
    layer, x = SelfAttention(16), torch.randn(2, 16, 4, 4)
    assert torch.equal(layer(x), x)
    layer.gamma.data.fill_(0.5)
    f, g, h = (part(x).flatten(2) for part in (layer.f, layer.g, layer.h))
    out = torch.zeros_like(h)
    for n in range(2):
        for j in range(16):
            beta = torch.softmax(torch.stack([f[n, :, i] @ g[n, :, j] for i in range(16)]), 0)
            out[n, :, j] = h[n] @ beta
    assert torch.allclose(layer(x), x + 0.5 * layer.v(out.view(2, -1, 4, 4)), atol=1e-5)


def test_domain_linear_is_a_layer_a_domain_and_leaves_no_gradient_out() -> None:
    torch.manual_seed(0)
    layer, x, domain = DomainLinear(3, 4, 5), torch.randn(2, 4), torch.tensor([2, 0])
    nn.init.normal_(layer.weight)
    out: Tensor = of_domain(layer(x), domain)
    assert torch.allclose(out, torch.stack([layer.weight[d] @ row for d, row in zip([2, 0], x, strict=True)]))
    out.sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.shape == (3, 5, 4)
    assert torch.count_nonzero(layer.weight.grad[1]) == 0


def test_rungs_share_the_weights_of_the_layers_they_share() -> None:
    style, latent = build_translator(tiny()), build_translator(tiny(model__code="latent"))
    for name in ("encoder.0.conv1.weight", "decoder.1.conv2.weight", "to_rgb.weight"):
        assert torch.equal(style.generator.state_dict()[name], latent.generator.state_dict()[name])
    other = build_translator(tiny(seed=1))
    assert not torch.equal(style.generator.to_rgb.weight, other.generator.to_rgb.weight)


def test_initial_weights_follow_the_recipe() -> None:
    translator = build_translator(tiny(model__mapping_width=64, model__max_width=64, model__first_width=64))
    for module in translator.modules():
        if isinstance(module, nn.Conv2d | nn.Linear) and module.weight[0].numel() * len(module.weight) > 2000:
            assert module.weight.std().item() == pytest.approx((2 / module.weight[0].numel()) ** 0.5, rel=0.1)
            assert module.bias is None or torch.count_nonzero(module.bias) == 0
        if isinstance(module, DomainLinear) and module.weight.numel() > 2000:
            assert module.weight.std().item() == pytest.approx((2 / module.weight.shape[2]) ** 0.5, rel=0.1)
