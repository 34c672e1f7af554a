"""Running jobs in worker processes that end with their parent, whatever happens to it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from typing import TypeVar

from ovrisisbench.errors import DataError

__all__ = ["default_workers", "run_jobs"]

Job = TypeVar("Job")
Result = TypeVar("Result")


def default_workers() -> int:
    """Return the number of processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_jobs(
    function: Callable[[Job], Result], jobs: Sequence[Job], *, workers: int, done: Callable[[Job, Result], None]
) -> None:
    """Run ``function`` on every job, in any order.

    With one worker everything runs in this process. Otherwise processes are
    spawned, so a script that calls this needs the usual
    ``if __name__ == "__main__"``.

    Args:
        function: importable by name, with a picklable result; what it raises ends the run and is raised here.
        jobs: picklable.
        workers: at least 1; never more than there are jobs.
        done: called here with each finished job and its result, in the order of finishing.

    Raises:
        DataError: a process was killed from outside.
    """
    workers = min(workers, len(jobs))
    if workers <= 1:
        for job in jobs:
            done(job, function(job))
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_begin) as pool:
        futures = {pool.submit(function, job): job for job in jobs}
        try:
            for future in as_completed(futures):
                done(futures[future], future.result())
        except BrokenProcessPool as error:
            raise DataError(
                "A worker process was killed, probably for lack of memory; start the same command again with fewer "
                f"--workers than {workers}: what is finished is kept."
            ) from error
        except BaseException:
            # Ctrl-C or a wrong file: the jobs in work are finished, the waiting ones dropped.
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _begin() -> None:
    # The terminal sends Ctrl-C to all processes; only the parent shall answer.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
