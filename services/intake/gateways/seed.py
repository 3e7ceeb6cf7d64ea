"""Which partners does a new installation begin with? Those of a YAML file."""

from pathlib import Path

import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError

from services.intake.store.partners import Terms
from shared.contracts.base import Frozen, PartnerId


class SeedBroken(ValueError):  # noqa: N818 - a state of the file
    """The file can't be used; the message names the line or the field."""


class Seed(Frozen):
    """`partners:` and, by partner id, their terms."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    partners: dict[PartnerId, Terms]


_SEED = TypeAdapter(Seed)


def read(path: Path) -> Seed:
    """Read the file, or stop the start with what to mend."""
    try:
        return _SEED.validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise SeedBroken(f"{path.name} can't be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise SeedBroken(f"{path.name}{where}: no well-formed YAML") from None
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise SeedBroken(f"{path.name}: " + "; ".join(faults)) from None
