"""Which partners does a new installation begin with? What an operator said later stays."""

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from shared.contracts.base import PartnerId
from shared.runtime.webhooks.address import Webhook


class SeedBroken(ValueError):  # noqa: N818 - a state of the file
    """The file can't be used; the message names the place and what is wrong there."""


class SeedPartner(BaseModel):
    """One partner of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    partner: PartnerId
    webhook: Webhook | None = None
    mail: bool = True


class Seed(BaseModel):
    """The file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    partners: tuple[SeedPartner, ...]


def read(path: Path) -> Seed:
    """Read the file; raises SeedBroken with every fault in it."""
    try:
        return Seed.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise SeedBroken(f"{path.name} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SeedBroken(f"{path.name} is no UTF-8 text") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SeedBroken(f"{path.name}, line {line}: {error.problem}") from None
    except yaml.YAMLError:
        raise SeedBroken(f"{path.name} is no well-formed YAML") from None
    except ValidationError as error:
        faults = (
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}"
            for one in error.errors(include_input=False, include_url=False)
        )
        raise SeedBroken(f"{path.name}: {'; '.join(faults)}") from None
