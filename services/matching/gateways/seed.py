"""Which readers and contracts does an installation begin with? Those of a YAML file.

A broken file stops the start and is never half loaded: each fault is told with its line and
field. What an operator changed through the API since stays as it is.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from services.matching.domain.contract import Contract
from services.matching.domain.reader import Reader
from services.matching.domain.told import Told


class SeedBroken(ValueError):  # noqa: N818 - a state of the file
    """The file can't be used; the message names lines and fields."""


class Seed(Told):
    """The file: `readers` and `contracts`."""

    readers: tuple[Reader, ...] = Field(default=())
    contracts: tuple[Contract, ...] = Field(default=())

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for names in ([r.id for r in self.readers], [c.partner for c in self.contracts]):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"given more than once: {', '.join(twice)}")
        return self


def read(path: Path) -> Seed:
    """Read the file; raises SeedBroken with every fault in it."""
    try:
        return parse(path.name, path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SeedBroken(f"{path.name} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SeedBroken(f"{path.name} is no UTF-8 text") from None


def parse(name: str, text: str) -> Seed:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SeedBroken(f"{name}, line {line}: {error.problem}") from None
    except yaml.YAMLError:
        raise SeedBroken(f"{name} is no well-formed YAML") from None
    try:
        return Seed.model_validate(_plain(name, root))
    except ValidationError as error:
        faults = [
            f"{name}, line {_line(root, one['loc'])}, {'.'.join(map(str, one['loc'])) or 'file'}: "
            f"{one['msg'].removeprefix('Value error, ')}"
            for one in error.errors(include_url=False, include_input=False)
        ]
        raise SeedBroken("\n".join(faults)) from None


def _plain(name: str, node: yaml.Node | None) -> Any:
    """Give the content with every scalar as it was written.

    YAML 1.1 would make 1320 of `22:00`, and True of the language `no`; the models know better.
    """
    match node:
        case None:
            return {}
        case yaml.MappingNode():
            keys = [str(key.value) for key, _ in node.value]
            for n, (key, _) in enumerate(node.value):
                if keys[n] in keys[:n]:
                    line = key.start_mark.line + 1
                    raise SeedBroken(f"{name}, line {line}: {keys[n]} is given twice")
            return {str(key.value): _plain(name, value) for key, value in node.value}
        case yaml.SequenceNode():
            return [_plain(name, one) for one in node.value]
        case _:
            return node.value


def _line(node: yaml.Node | None, loc: Sequence[str | int]) -> int:
    """Give the line of a field, or of the nearest thing around it that is there."""
    line = node.start_mark.line if node else 0
    for step in loc:
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == str(step)]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            found = [(one, one) for one in node.value[step : step + 1]]
        else:
            found = []
        if not found:
            break
        (key, node), *_ = found
        line = key.start_mark.line
    return line + 1
