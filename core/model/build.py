"""From a configuration to networks: the only place where a name becomes a class."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor, nn

from core import config as configuration
from core.config import Config, label_table
from core.model.codes import Code, LabelCode, LatentCode, StyleCode
from core.model.discriminator import AcganHead, Discriminator, MultitaskHead, Trunk
from core.model.generator import Generator
from core.model.injection import AdaIN, Concat
from core.model.layers import initialise
from core.model.masks import GivenMasks, LandmarkMasks, Masks
from core.model.skip import HighPassSkip, NoSkip
from core.model.stargan import (
    PatchAcganHead,
    PatchMultitaskHead,
    PatchTrunk,
    StarGANGenerator,
    initialise_uniformly,
)

AnyHead = type[AcganHead] | type[MultitaskHead] | type[PatchAcganHead] | type[PatchMultitaskHead]


class Backbone(NamedTuple):
    """The classes of one paper's networks, and how their weights begin."""

    generator: type[Generator] | type[StarGANGenerator]
    trunk: type[Trunk] | type[PatchTrunk]
    heads: dict[configuration.Head, AnyHead]
    initialise: Callable[[nn.Module, int, str], None]


CODES: dict[configuration.Code, type[Code]] = {"label": LabelCode, "latent": LatentCode, "style": StyleCode}
INJECTIONS: dict[configuration.Injection, type[Concat] | type[AdaIN]] = {"concat": Concat, "adain": AdaIN}
BACKBONES: dict[configuration.Backbone, Backbone] = {
    "starganv2": Backbone(Generator, Trunk, {"acgan": AcganHead, "multitask": MultitaskHead}, initialise),
    "stargan": Backbone(
        StarGANGenerator,
        PatchTrunk,
        {"acgan": PatchAcganHead, "multitask": PatchMultitaskHead},
        initialise_uniformly,
    ),
}


class Translator(nn.Module):
    """The generator, what makes its codes and what makes its masks: all that translating an image takes."""

    def __init__(self, generator: Generator | StarGANGenerator, code: Code, masks: Masks) -> None:
        super().__init__()
        self.generator, self.code, self.masks = generator, code, masks

    def forward(self, image: Tensor, code: Tensor, masks: Tensor | None = None) -> Tensor:
        """image: (n, 3, R, R) in [-1, 1]; code: (n, code.dim) -> the translated images, same shape.

        masks: (n, 2, R/4, R/4) in [0, 1], where they come with the images.
        """
        return self.generator(image, code, self.masks(image, masks))


def build_translator(config: Config) -> Translator:
    """Generator and code, initialised from random streams of `config.seed`."""
    backbone = BACKBONES[config.model.backbone]
    code = CODES[config.model.code](config.model, label_table(config))
    skip = HighPassSkip(config.model.high_pass) if config.model.high_pass else NoSkip()
    generator = backbone.generator(config.model, INJECTIONS[config.model.injection](code.dim), skip)
    backbone.initialise(generator, config.seed, "generator")
    for name, network in code.named_children():
        initialise(network, config.seed, name)
    masks = LandmarkMasks(config.model.landmarks) if config.model.landmarks else GivenMasks()
    return Translator(generator, code, masks)


def build_discriminator(config: Config) -> Discriminator:
    """The discriminator, initialised from random streams of `config.seed`."""
    backbone = BACKBONES[config.model.backbone]
    trunk = backbone.trunk(config.model, attention=True)
    head = backbone.heads[config.model.head](trunk.width, trunk.side, len(label_table(config)[0]))
    discriminator = Discriminator(trunk, head)
    backbone.initialise(discriminator, config.seed, "discriminator")
    return discriminator
