"""Every failure a user can cause or repair. Anything else that is raised is a bug."""

from __future__ import annotations


class EltError(Exception):
    """What went wrong, where, and what to do about it.

    `where` is a file and line, a URL and page or a key and line; `fix` is a full sentence.
    """

    code = "failed"
    exit_code = 1

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(what, where, fix)
        self.what = what
        self.where = where
        self.fix = fix

    def __reduce__(self) -> tuple[object, ...]:
        """So that it comes out of another process as it was."""
        return _as_it_was, (type(self), self.args, vars(self))

    def __str__(self) -> str:
        located = f"{self.where}: {self.what}" if self.where else self.what
        return f"{located}. {self.fix}" if self.fix else located


class UsageError(EltError):
    """The command was given something it cannot work with."""

    code = "usage"
    exit_code = 2


class ConfigError(EltError):
    """The configuration has mistakes; all of them are listed, one a line."""

    code = "invalid_configuration"
    exit_code = 2

    def __init__(self, problems: list[str], *, where: str = "") -> None:
        super().__init__("\n".join(problems), where=where)
        self.problems = problems

    def __str__(self) -> str:
        count = f"{len(self.problems)} mistake{'s' if len(self.problems) > 1 else ''}"
        return "\n  ".join([f"{self.where or 'configuration'}: {count}", *self.problems])


class SourceError(EltError):
    """A file, a bucket or an API could not be read as it stands."""

    code = "source"


class ChangedFile(SourceError):
    """A file that was loaded before has other content now."""

    code = "changed_file"


class InvalidRows(EltError):
    """Rows do not fit the schema and `on_invalid` is `fail`."""

    code = "invalid_rows"


class OutOfMemory(EltError):
    """The process was refused memory."""

    code = "out_of_memory"

    def __init__(self) -> None:
        super().__init__(
            "there is not enough memory",
            fix="Give it more memory (the function's MemorySize on AWS): a run takes about 250 MB, "
            "more where single fields or records are large.",
        )


class SecretError(EltError):
    """Secrets cannot be read or stored."""

    code = "secrets"


class TargetError(EltError):
    """The target database refused, or its table does not fit."""

    code = "target"


class StatementError(TargetError):
    """A statement of the configuration failed in the target, or may not be run there."""

    code = "statement"


class CheckFailed(EltError):
    """The table would not be as a check wants it; nothing was loaded."""

    code = "check_failed"


class Cancelled(EltError):
    """Somebody asked the run to stop; nothing of it was loaded."""

    code = "cancelled"


class LeaseLost(EltError):
    """The run was given up for dead, or is somebody else's; whoever works on it must stop."""

    code = "lease_lost"


class AddressError(TargetError):
    """Nobody said where the database is, or not so that it can be found."""

    code = "no_database"
    exit_code = 2


class Superseded(TargetError):
    """A newer run has taken over the target table; this one must not commit."""

    code = "superseded"


class NotFound(EltError):
    """There is nothing of this name, number or id."""

    code = "not_found"


class Conflict(EltError):
    """What is asked for does not go with the state that things are in."""

    code = "conflict"


class RunActive(Conflict):
    """Another run is queued or running; `run_id` names it."""

    code = "run_active"

    def __init__(self, run_id: str) -> None:
        super().__init__(
            f"the run {run_id} is not over yet",
            fix="One run works at a time: wait for its end, or cancel it.",
        )
        self.run_id = run_id


class ScheduleError(EltError):
    """EventBridge refused, cannot be reached, or its rules leave open which one is meant."""

    code = "schedule"


class LaunchError(EltError):
    """Work was queued, but nobody could be told to do it."""

    code = "launch"


class InvalidRate(UsageError):
    """This is no rate that EventBridge understands."""

    code = "invalid_rate"


class NoConfiguration(Conflict):
    """There is no version to run yet."""

    code = "no_configuration"


def _as_it_was(kind: type[EltError], args: tuple[str, ...], state: dict[str, object]) -> EltError:
    error = kind.__new__(kind)
    error.args = args
    vars(error).update(state)
    return error
