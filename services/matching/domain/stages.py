"""Which stages does a case go through? Hardly any comes to an adjudication."""

from typing import Final, Literal, TypeAlias, get_args

from shared.contracts.matching import Stage

# `adjudicate`: a third reader is looked for, and decides. Events, which only grow, call it the
# stage `read` of an `adjudication`.
CaseStage: TypeAlias = Literal["deid", "match", "read", "adjudicate", "deliver"]
STAGES: Final[tuple[CaseStage, ...]] = get_args(CaseStage)
USUAL: Final[tuple[Stage, ...]] = get_args(Stage)


def told(stage: CaseStage) -> tuple[Stage, bool]:
    """Give what events call it, and whether it is of an adjudication."""
    return ("read", True) if stage == "adjudicate" else (stage, False)


def meant(stage: Stage, *, adjudication: bool) -> CaseStage:
    """Give the stage that an event tells."""
    return "adjudicate" if adjudication else stage


def after(stage: CaseStage) -> tuple[Stage, ...]:
    """Give the stages that follow, without an adjudication: it is planned for no case."""
    place = STAGES.index(stage)
    return tuple(one for one in USUAL if STAGES.index(one) > place)
