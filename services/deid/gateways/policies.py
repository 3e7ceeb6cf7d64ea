"""Which policy holds for which partner? Read from YAML once, at the start, or not at all."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError
from pydantic_core import ErrorDetails

from services.deid.domain.policy import OPTION_CODES, SECOND_OPINION, Option, Policy, Rotation

SHIPPED = Path(__file__).parent.parent / "profile" / "second-opinion.yaml"
_DEFAULT = "default"
_PARTNER = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")  # shared.contracts.base.PartnerId
_LARGEST = 64 << 10  # bytes: a policy is a page


class PolicyBroken(ValueError):  # noqa: N818 - a state of the file
    """The policy can't be used; the message names the file, the field and how to mend it."""


class _Document(BaseModel):
    """A policy file. Every option is said aloud, so that nothing is on or off by oversight."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    version: int = Field(ge=1, le=999_999, strict=True)
    options: dict[Option, StrictBool]
    rotation: Rotation = "patient"

    def policy(self) -> Policy:
        chosen = frozenset(option for option, on in self.options.items() if on)
        return Policy(f"{self.name}-{self.version}", chosen, self.rotation)


class _Once(yaml.SafeLoader):
    """YAML in which a field stands once: of two answers nobody knows which one was meant."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - named so by the library
        named = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for name in named:
            if named.count(name) > 1:
                raise yaml.MarkedYAMLError(
                    problem=f"{name} stands here twice: keep one", problem_mark=node.start_mark
                )
        return super().construct_mapping(node, deep)


@dataclass(frozen=True, slots=True)
class Policies:
    """The default, and what single partners agreed on instead."""

    default: Policy = SECOND_OPINION
    partners: Mapping[str, Policy] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, partner: str) -> Policy:
        return self.partners.get(partner, self.default)


def load_policies(path: Path | None) -> Policies:
    """Read one file for everyone, or a folder: default.yaml and <partner>.yaml.

    Without a path, or without a default.yaml, the shipped policy holds. Raises PolicyBroken.
    """
    if path is None:
        return Policies(load_policy(SHIPPED))
    if not path.is_dir():
        return Policies(load_policy(path))
    files = sorted(one for one in path.iterdir() if not one.name.startswith("."))
    found = {_partner(file): load_policy(file) for file in files}
    default = found.pop(_DEFAULT, None) or load_policy(SHIPPED)
    return Policies(default, MappingProxyType(found))


def load_policy(path: Path) -> Policy:
    """Read a policy file. Raises PolicyBroken with every fault in it."""
    try:
        raw = path.read_bytes()
        if len(raw) > _LARGEST:
            raise PolicyBroken(f"{path.name} has {len(raw)} bytes; a policy is a page of YAML")
        content = yaml.load(raw.decode("utf-8"), _Once)  # noqa: S506 - a safe loader
    except OSError as error:
        raise PolicyBroken(f"{path.name} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise PolicyBroken(f"{path.name} is no UTF-8 text") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PolicyBroken(f"{path.name}, line {line}: {error.problem}") from None
    except (yaml.YAMLError, RecursionError):
        raise PolicyBroken(f"{path.name} is no well-formed YAML") from None
    return _parsed(path.name, content)


def _parsed(name: str, content: Any) -> Policy:
    if not isinstance(content, dict):
        raise PolicyBroken(f"{name} holds no fields: begin with `name:`, `version:`, `options:`")
    try:
        document = _Document.model_validate(content)
    except ValidationError as error:
        faults = (_fault(one) for one in error.errors(include_url=False, include_input=False))
        raise PolicyBroken(f"{name}: {'; '.join(faults)}") from None
    missing = [option for option in OPTION_CODES if option not in document.options]
    if missing:
        asked = ", ".join(f"options.{option}" for option in missing)
        raise PolicyBroken(f"{name}: {asked} missing: say true or false")
    return document.policy()


def _fault(error: ErrorDetails) -> str:
    """Say which field is wrong and how to mend it."""
    where = [str(part) for part in error["loc"] if part != "[key]"]
    field = ".".join(where)
    if error["type"] == "missing":
        return f"{field} is missing: add it"
    if error["type"] == "extra_forbidden" or "[key]" in error["loc"]:
        known = OPTION_CODES if where[0] == "options" else _Document.model_fields
        near = difflib.get_close_matches(where[-1], known, n=1)
        mend = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
        return f"{field} is unknown: {mend}"
    return f"{field} is wrong: {error['msg'][:1].lower()}{error['msg'][1:]}"


def _partner(file: Path) -> str:
    """Whose policy a file of the folder is."""
    if file.suffix != ".yaml" or not _PARTNER.fullmatch(file.stem) or not file.is_file():
        raise PolicyBroken(
            f"{file.name} is no policy of anybody: name it default.yaml or <partner>.yaml"
        )
    return file.stem
