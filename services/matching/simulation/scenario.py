"""What does a scenario file say? A world of cases and readers, as numbers a person can change.

docs/matching.md describes the format. Every share is a weight: it need not add up to 1.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import AwareDatetime, Field, ValidationError, model_validator

from services.matching.domain.contract import Duration
from services.matching.domain.duty import Caps
from services.matching.domain.told import Modality, Told, Word
from shared.contracts.base import BodyRegion, OpaqueId, ServiceLevel

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Hour = Annotated[int, Field(ge=0, le=23)]


class ScenarioBroken(ValueError):  # noqa: N818 - a state of the file
    """The file can't be used; the message names the fields."""


class Level(Told):
    """A service level: its share of the cases, its target, and how long its readings take."""

    share: Positive
    target: Duration
    median_minutes: Positive
    sigma: Annotated[float, Field(ge=0, le=2)] = 0.45
    offer_window: Duration


class Discipline(Told):
    """A subspecialty: its share of the cases and of the readers, and what its cases look like."""

    share: Positive
    readers: Positive
    modalities: Annotated[Mapping[Modality, Positive], Field(min_length=1)]
    neighbours: tuple[Word, ...] = ()


class Surge(Told):
    """More cases than usual for some hours."""

    after: Annotated[timedelta, Field(ge=timedelta(0))]
    lasts: Duration
    times: Annotated[float, Field(gt=1, le=10)]


class Friction(Told):
    """How readers answer what is pushed at them, and how often they say no.

    `answers` is the share of pushed offers that are answered at all; `answer_median_minutes` and
    `answer_sigma` shape the log-normal wait until then.
    """

    answers: Share = 0.97
    answer_median_minutes: Positive = 1.5
    answer_sigma: Annotated[float, Field(ge=0, le=2)] = 0.7
    declines: Share = 0.04
    declines_next: Share = 0.015
    page_answers: Share = 0.95
    page_median_minutes: Positive = 4.0
    app_seconds: Annotated[float, Field(ge=0, le=600)] = 20.0


class Readers(Told):
    """Who reads. `starts` weighs the hours (of `time_zone`) at which shifts begin."""

    count: Annotated[int, Field(ge=1, le=5000)]
    time_zone: str = "America/New_York"
    starts: Annotated[Mapping[Hour, Positive], Field(min_length=1)]
    shift_hours: Annotated[int, Field(ge=1, le=24)] = 8
    days_a_week: Annotated[int, Field(ge=1, le=7)] = 5
    second_field: Share = 0.6
    third_field: Share = 0.15
    fellows: Share = 0.8
    licences: Mapping[OpaqueId, Share]
    sick: Share = 0.03
    groups: Annotated[int, Field(ge=1)] = 12
    breaks: Share = 0.06
    speed_sigma: Annotated[float, Field(ge=0, le=1)] = 0.12
    capacity: Annotated[int, Field(ge=1)] = 3
    on_call_per_field: Annotated[int, Field(ge=0)] = 4


class HardRules(Told):
    """What the hard rules have to do, beyond place, age and field; each share is one of readers.

    `papers_end` is the share of licences, board certifications and privileges that end within the
    run; `privileges` the chance that a partner granted them. `narrow` read two thirds of the
    `regions`, `lacking` lack a modality, `speaks` is the chance to write each language but the
    first. `own_staff` are employed by one of the `partners`; `conflicts` declared one with a
    colleague, a group or a partner. `capped` have one of the `caps` each, `overtime` four hours
    after each shift. Of first reports made by us `unnamed_groups` come without the group, and of
    cases `adjudicated` are read once more.
    """

    partners: Annotated[int, Field(ge=1, le=50)] = 1
    papers_end: Share = 0.0
    privileges: Share = 1.0
    inactive: Share = 0.0
    regions: Mapping[BodyRegion, Positive] = {}
    narrow: Share = 0.0
    lacking: Share = 0.0
    languages: Mapping[OpaqueId, Positive] = {}
    speaks: Share = 1.0
    own_staff: Share = 0.0
    conflicts: Share = 0.0
    unnamed_groups: Share = 0.0
    caps: Caps = Caps()
    capped: Share = 1.0
    overtime: Share = 0.0
    adjudicated: Share = 0.0


class Scenario(Told):
    """The file. `load` is the work that arrives, as a share of what the readers on shift can do."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,40}$")]
    starts_at: AwareDatetime
    days: Annotated[int, Field(ge=1, le=366)]
    load: Annotated[float, Field(gt=0, le=3)]
    levels: Annotated[Mapping[ServiceLevel, Level], Field(min_length=1)]
    fields: Annotated[Mapping[Word, Discipline], Field(min_length=1)]
    jurisdictions: Annotated[Mapping[OpaqueId, Positive], Field(min_length=1)]
    hours: Annotated[tuple[Positive, ...], Field(min_length=24, max_length=24)]
    minors: Share = 0.02
    wants_fellow: Share = 0.08
    first_read_by_us: Share = 0.05
    beyond_field_slower: Annotated[float, Field(ge=1, le=5)] = 1.25
    deid_minutes: Positive = 2.0
    deliver_minutes: Positive = 1.0
    readers: Readers
    friction: Friction = Friction()
    surge: Surge | None = None
    hard: HardRules | None = None

    @model_validator(mode="after")
    def _known(self) -> "Scenario":
        strange = {n for one in self.fields.values() for n in one.neighbours} - set(self.fields)
        if strange:
            raise ValueError(f"neighbours that are no fields: {', '.join(sorted(strange))}")
        if missing := set(self.jurisdictions) - set(self.readers.licences):
            raise ValueError(f"nobody is licensed in {', '.join(sorted(missing))}")
        return self


def read(path: Path) -> Scenario:
    """Read a file; raises ScenarioBroken with every fault in it."""
    try:
        return parse(path.name, json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ScenarioBroken(f"{path.name} can't be read: {error.strerror}") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ScenarioBroken(f"{path.name} is no JSON: {error}") from None


def parse(name: str, content: Any) -> Scenario:
    try:
        return Scenario.model_validate(content)
    except ValidationError as error:
        faults = [
            f"{name}, {'.'.join(map(str, one['loc'])) or 'file'}: "
            f"{one['msg'].removeprefix('Value error, ')}"
            for one in error.errors(include_url=False, include_input=False)
        ]
        raise ScenarioBroken("\n".join(faults)) from None
