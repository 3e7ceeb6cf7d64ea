"""Who accepts the offers? Each reader, at once, as the route of matching's API does."""

from typing import Any

from benchmarks.measured.acting.prompts import Act, Prompts, persist
from services.matching.__main__ import SERVICE
from services.matching.api.readers import Desk
from services.matching.settings import Settings
from shared.contracts.matching import AssignmentOffered
from shared.runtime.auth import Principal
from shared.runtime.service import Core, run
from shared.runtime.settings import read


def accepting(core: Core[Any]) -> Act:
    desk = Desk(core)

    async def accept(offer: AssignmentOffered) -> None:
        who = Principal(offer.reader, None, frozenset({"reader"}))
        await persist(lambda: desk.accept(offer.assignment, who))

    return accept


if __name__ == "__main__":
    run(Prompts(AssignmentOffered).beside(SERVICE, accepting), read(Settings))
