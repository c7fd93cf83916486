"""What becomes of the jobs that are submitted to a batch system."""

from __future__ import annotations

from typing import Any

from snstdp_cli.errors import EngineError
from snstdp_cli.fields import printable

#: After so many seconds a job that was refused is submitted again.
_AGAIN_S = 60.0


class Submissions:
    """What becomes of the jobs that are submitted; one that is refused is submitted again after a minute.

    dask-jobqueue only logs a refusal, such as that of one job more than a user may have, and never tries again.

    Attributes
    ----------
    cluster
        Dask's cluster, whose jobs these are.
    taken
        How many jobs the batch system took.
    asked
        How many it was asked to take and has not answered yet.
    refusal
        Its latest words to one that it did not take.
    """

    def __init__(self, kind: str) -> None:
        self.kind, self.taken, self.asked, self.refusal = kind, 0, 0, ""
        self.cluster: Any = None

    def job_class(self, job: Any) -> Any:
        """Return a class of jobs that tell how their submission went."""
        from distributed.core import Status

        submissions = self

        class ObservedJob(job):  # type: ignore[misc]
            async def start(self) -> None:
                submissions.asked += 1
                try:
                    await super().start()
                    submissions.taken += 1
                except (OSError, RuntimeError, ValueError) as error:
                    self.status = Status.failed  # otherwise Dask waits for its end
                    submissions._refuse(self.name, error)
                    raise
                finally:
                    submissions.asked -= 1

            async def close(self) -> None:
                await super().close()
                self.status = Status.closed  # or Dask takes it for one that was left, while anything refers to it

        return ObservedJob

    def waiting(self) -> str:
        """Return what to say while no job runs.

        Raises
        ------
        EngineError
            If the batch system took none of all that it was asked to take.
        """
        if self.refusal and not (self.taken or self.asked):
            raise EngineError(
                f"the batch system ({self.kind}) takes no job: {self.refusal}; correct the cluster file, and run the "
                "same command again"
            )
        others = f"; others it did not take: {self.refusal}" * bool(self.refusal)
        return f"no job runs yet: waiting for the batch system ({self.kind}) to start one{others}"

    def _refuse(self, name: object, error: Exception) -> None:
        said = str(error).rpartition("stderr:")[2] or str(error)
        self.refusal = printable(" ".join(said.split()), 300)
        if self.cluster is not None:
            self.cluster.loop.call_later(_AGAIN_S, self._forget, name)

    def _forget(self, name: object) -> None:
        """Let Dask see that a job is missing."""
        self.cluster.worker_spec.pop(name, None)
        self.cluster.workers.pop(name, None)
