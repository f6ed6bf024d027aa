"""From a configuration to networks: the only place where a name becomes a class."""

from __future__ import annotations

from torch import Tensor, nn

from core import config as configuration
from core.config import Config
from core.model.codes import Code, LabelCode, LatentCode, StyleCode
from core.model.discriminator import AcganHead, Discriminator, MultitaskHead, Trunk
from core.model.generator import Generator
from core.model.injection import AdaIN, Concat
from core.model.layers import initialise
from core.model.masks import GivenMasks, LandmarkMasks, Masks
from core.model.skip import HighPassSkip, NoSkip

CODES: dict[configuration.Code, type[Code]] = {"label": LabelCode, "latent": LatentCode, "style": StyleCode}
INJECTIONS: dict[configuration.Injection, type[Concat] | type[AdaIN]] = {"concat": Concat, "adain": AdaIN}
HEADS: dict[configuration.Head, type[AcganHead] | type[MultitaskHead]] = {
    "acgan": AcganHead,
    "multitask": MultitaskHead,
}


class Translator(nn.Module):
    """The generator, what makes its codes and what makes its masks: all that translating an image takes."""

    def __init__(self, generator: Generator, code: Code, masks: Masks) -> None:
        super().__init__()
        self.generator, self.code, self.masks = generator, code, masks

    def forward(self, image: Tensor, code: Tensor, masks: Tensor | None = None) -> Tensor:
        """image: (n, 3, R, R) in [-1, 1]; code: (n, code.dim) -> the translated images, same shape.

        masks: (n, 2, R/4, R/4) in [0, 1], where they come with the images.
        """
        return self.generator(image, code, self.masks(image, masks))


def build_translator(config: Config) -> Translator:
    """Generator and code, initialised from random streams of `config.seed`."""
    code = CODES[config.model.code](config.model, len(config.data.domains))
    skip = HighPassSkip(config.model.high_pass) if config.model.high_pass else NoSkip()
    generator = Generator(config.model, INJECTIONS[config.model.injection](code.dim), skip)
    for name, network in {"generator": generator, **dict(code.named_children())}.items():
        initialise(network, config.seed, name)
    masks = LandmarkMasks(config.model.landmarks) if config.model.landmarks else GivenMasks()
    return Translator(generator, code, masks)


def build_discriminator(config: Config) -> Discriminator:
    """The discriminator, initialised from random streams of `config.seed`."""
    trunk = Trunk(config.model, attention=True)
    discriminator = Discriminator(trunk, HEADS[config.model.head](trunk.width, len(config.data.domains)))
    initialise(discriminator, config.seed, "discriminator")
    return discriminator
