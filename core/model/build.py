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

CODES: dict[configuration.Code, type[Code]] = {"label": LabelCode, "latent": LatentCode, "style": StyleCode}
INJECTIONS: dict[configuration.Injection, type[Concat] | type[AdaIN]] = {"concat": Concat, "adain": AdaIN}
HEADS: dict[configuration.Head, type[AcganHead] | type[MultitaskHead]] = {
    "acgan": AcganHead,
    "multitask": MultitaskHead,
}


class Translator(nn.Module):
    """The generator and what makes its codes: all that translating an image takes."""

    def __init__(self, generator: Generator, code: Code) -> None:
        super().__init__()
        self.generator, self.code = generator, code

    def forward(self, image: Tensor, code: Tensor) -> Tensor:
        """image: (n, 3, R, R) in [-1, 1]; code: (n, code.dim) -> the translated images, same shape."""
        return self.generator(image, code)


def build_translator(config: Config) -> Translator:
    """Generator and code, initialised from random streams of `config.seed`."""
    code = CODES[config.model.code](config.model, len(config.data.domains))
    generator = Generator(config.model, INJECTIONS[config.model.injection](code.dim))
    for name, network in {"generator": generator, **dict(code.named_children())}.items():
        initialise(network, config.seed, name)
    return Translator(generator, code)


def build_discriminator(config: Config) -> Discriminator:
    """The discriminator, initialised from random streams of `config.seed`."""
    trunk = Trunk(config.model, attention=True)
    discriminator = Discriminator(trunk, HEADS[config.model.head](trunk.width, len(config.data.domains)))
    initialise(discriminator, config.seed, "discriminator")
    return discriminator
