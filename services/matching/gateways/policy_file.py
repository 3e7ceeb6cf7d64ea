"""Which policy does an installation follow? That of a YAML file, or the default."""

from pathlib import Path

import yaml
from pydantic import ValidationError

from services.matching.domain.policy import Policy


class PolicyBroken(ValueError):  # noqa: N818 - a state of the file
    """The file can't be used; the message names the fields."""


def read_policy(path: Path) -> Policy:
    """Read a policy file; raises PolicyBroken with every fault in it."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Policy.model_validate(content if content is not None else {})
    except OSError as error:
        raise PolicyBroken(f"{path.name} can't be read: {error.strerror}") from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise PolicyBroken(f"{path.name} is no well-formed YAML: {error}") from None
    except ValidationError as error:
        faults = [
            f"{path.name}, {'.'.join(map(str, one['loc'])) or 'file'}: "
            f"{one['msg'].removeprefix('Value error, ')}"
            for one in error.errors(include_url=False, include_input=False)
        ]
        raise PolicyBroken("\n".join(faults)) from None
