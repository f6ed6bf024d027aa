"""The networks: sizes as published, parts that do what their names say."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, get_args

import pytest
import torch
from torch import Tensor, nn

from core import config as configuration
from core.config import GUIDES, Config, changed
from core.model.build import BACKBONES, CODES, INJECTIONS, build_discriminator, build_translator
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
from core.model.stargan import TrackedNorm
from tests.core.settings import LABEL, STARGAN, random_batch, tiny


def count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def test_names_are_those_of_the_configuration() -> None:
    assert tuple(CODES) == get_args(configuration.Code) == tuple(GUIDES)
    assert tuple(INJECTIONS) == get_args(configuration.Injection)
    assert tuple(BACKBONES) == get_args(configuration.Backbone)
    for backbone in BACKBONES.values():
        assert tuple(backbone.heads) == get_args(configuration.Head)
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


@pytest.mark.parametrize(
    ("labels", "generator", "discriminator"), [(5, 8_430_528, 44_762_048), (8, 8_439_936, 44_786_624)]
)
def test_parameters_of_stargan_at_its_papers_size(labels: int, generator: int, discriminator: int) -> None:
    """128 px, width 64, six blocks, six convolutions: the weights and biases of every layer."""
    names = [f"label{number}" for number in range(labels)]
    config = changed(Config(), STARGAN | {"model.resolution": 128, "model.bottleneck_blocks": 6, "data.domains": names})
    with torch.device("meta"):
        translator, judge = build_translator(config), build_discriminator(config)
    norms = 2 * (64 + 128 + 256 + 2 * 6 * 256 + 128 + 64)
    ends = 49 * (3 + labels) * 64 + 49 * 64 * 3
    convs = ends + 16 * (64 * 128 + 128 * 256) + 2 * 6 * 9 * 256**2 + 16 * (256 * 128 + 128 * 64)
    assert count(translator.generator) == convs + norms == generator
    trunk = sum(16 * a * b + b for a, b in pairwise([3, 64, 128, 256, 512, 1024, 2048]))
    assert count(judge) == trunk + 9 * 2048 + 4 * 2048 * labels == discriminator
    assert judge.trunk.side == 2


def test_stargan_judges_patches_and_bounds_its_images() -> None:
    config = tiny(**STARGAN | {"model.resolution": 32, "model.patch_convs": 3, "model.first_width": 4})
    translator, judge, batch = build_translator(config), build_discriminator(config), random_batch(config)
    assert batch.image is not None
    out = translator(batch.image, translator.code.of_noise(batch.latent, batch.target))
    assert out.shape == batch.image.shape
    assert out.abs().max() < 1
    verdict = judge(batch.image, batch.domain)
    assert verdict.score.shape == (3, 4, 4)
    assert verdict.classes.shape == (3, 3)
    # A patch of the map sees its surroundings, not the far corner; six halvings would see everything.
    changed_image = batch.image.clone()
    changed_image[:, :, -1, -1] += 1
    moved = (judge(changed_image, batch.domain).score - verdict.score).abs()
    assert moved[:, 0, 0].max() == 0
    assert moved[:, -1, -1].min() > 0


def test_stargan_looks_at_the_map_of_the_asked_domain() -> None:
    config = tiny(**STARGAN | {"model.head": "multitask", "loss.classification": 0.0})
    judge, batch = build_discriminator(config), random_batch(config)
    assert batch.image is not None
    every = [judge(batch.image, torch.full((3,), domain)).score for domain in range(3)]
    asked = judge(batch.image, torch.tensor([2, 0, 1])).score
    assert torch.equal(asked, torch.stack([every[2][0], every[0][1], every[1][2]]))


def test_stargans_norm_never_reads_its_running_statistics() -> None:
    norm, x = TrackedNorm(3), torch.randn(2, 3, 4, 4) * 5 + 7
    trained = norm(x)
    assert norm.running_mean is not None
    assert not torch.equal(norm.running_mean, torch.zeros(3))
    kept = norm.running_mean.clone()
    assert torch.allclose(norm.eval()(x), trained)
    assert torch.equal(norm.running_mean, kept)


def test_stargans_initial_weights_are_torchs_default() -> None:
    config = tiny(**STARGAN | {"model.first_width": 16, "model.max_width": 16})
    for network in (build_translator(config).generator, build_discriminator(config)):
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                weight = module.weight
                bound = nn.init.calculate_gain("leaky_relu", 5**0.5) * (3 / weight[0].numel()) ** 0.5
                assert weight.abs().max() <= bound
                assert weight.abs().max() > 0.9 * bound
    twin, other = build_discriminator(config), build_discriminator(changed(config, {"seed": 1}))
    assert torch.equal(twin.trunk.convs[0].bias, network.trunk.convs[0].bias)
    assert not torch.equal(twin.trunk.convs[0].bias, other.trunk.convs[0].bias)


def test_a_label_is_one_hot_or_the_attributes_of_the_domain() -> None:
    plain = build_translator(tiny(**LABEL)).code
    domain = torch.tensor([2, 0])
    assert torch.equal(plain.of_noise(torch.zeros(2, 4), domain), torch.eye(3)[domain])
    names = ["none", "Male", "Blond_Hair+Male"]
    attributes = {"data.attributes": ["Blond_Hair", "Male"], "data.domains": names, "data.root": "a folder"}
    code = build_translator(tiny(**STARGAN | attributes)).code
    assert code.dim == 2
    assert code.of_image(torch.zeros(2, 3, 16, 16), domain).tolist() == [[1, 1], [0, 0]]


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
