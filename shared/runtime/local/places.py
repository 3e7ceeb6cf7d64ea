"""Where in the set-up's folder does each thing stand?"""

from dataclasses import dataclass
from pathlib import Path

from shared.runtime.local.failure import SetupError

CHECKOUT = Path(__file__).parents[3]
DEFAULT_ROOT = CHECKOUT / ".overread"


@dataclass(frozen=True, slots=True)
class Places:
    """The folder of one local set-up, with keys and patients' images: its owner's alone."""

    root: Path

    def make(self) -> None:
        """Make what is missing; raises SetupError where this user may not, or a file stands."""
        try:
            self._make()
        except OSError as error:
            what = f"{self.root} can't be made: {error.strerror}"
            mend = "take a folder of your own with --folder or OVERREAD_FOLDER"
            raise SetupError(what, mend=mend) from None

    def _make(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.root.chmod(0o700)
        for folder in (self.logs, self.run, self.objects, self.telemetry, self.issuer):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """What runs now: a record per child, and the supervisor's status."""
        return self.root / "run"

    @property
    def objects(self) -> Path:
        return self.root / "objects"

    @property
    def telemetry(self) -> Path:
        return self.root / "telemetry"

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def kafka(self) -> Path:
        return self.root / "kafka"

    @property
    def mail(self) -> Path:
        """A Maildir: what a mail server would have sent."""
        return self.root / "mail"

    @property
    def issuer(self) -> Path:
        """The issuer's signing keys, and its clients with hashed secrets."""
        return self.root / "issuer"

    @property
    def keys(self) -> Path:
        return self.root / "keys.json"

    @property
    def clients(self) -> Path:
        """What each client of the issuer holds: its id and its secret."""
        return self.root / "clients.json"

    @property
    def status(self) -> Path:
        return self.run / "status"

    @property
    def supervisor(self) -> Path:
        return self.run / "supervisor.json"

    def record(self, child: str) -> Path:
        return self.run / f"{child}.json"

    def log(self, child: str) -> Path:
        return self.logs / f"{child}.log"

    def records(self) -> list[Path]:
        """Of all children that run, or were left by a crash; the services before the servers."""
        servers = [self.kafka / "pid.json", self.postgres / "pid.json"]
        others = sorted(self.run.glob("*.json"))
        return [path for path in [*others, *servers] if path.exists()]
