"""Outer folds in worker processes of our own, one thread each.

multiprocessing can't be used: the process that evaluates is often a Celery pool worker, which is daemonic and may have
no multiprocessing children. Parent and worker speak pickle over the worker's stdin and stdout; nothing touches the disk.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

from threadpoolctl import threadpool_limits

from genomepath.ml.fold_scoring import EvaluationInputs, FoldOutcome, score_fold
from genomepath.ml.splits import Fold

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
_COMMAND = "from genomepath.ml.fold_workers import serve; serve()"


class FoldWorkerError(RuntimeError):
    """A worker process ended without an answer, for example because it was killed for its memory."""


def score_folds(inputs: EvaluationInputs, plan: Sequence[Fold], workers: int) -> Iterator[FoldOutcome]:
    """The outcomes in the order of ``plan``, in this process or in ``workers`` processes.

    Raises:
        FoldWorkerError: a worker died. What a scorer or a leakage check raises in a worker is raised here unchanged.
    """
    if workers <= 1 or len(plan) == 1:
        with threadpool_limits(limits=1):
            yield from (score_fold(inputs, fold) for fold in plan)
        return
    payload = pickle.dumps(inputs)
    with contextlib.ExitStack() as stack:
        idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        started = [_Worker(payload) for _ in range(min(workers, len(plan)))]
        pool = stack.enter_context(ThreadPoolExecutor(max_workers=len(started)))
        stack.callback(pool.shutdown, wait=False, cancel_futures=True)
        for worker in started:
            stack.callback(worker.stop)
            idle.put(worker)
        yield from pool.map(lambda fold: _ask_idle(idle, fold), plan)


def serve() -> None:
    """Entry point of a worker: reads the inputs, then folds, and answers each with an outcome or an exception."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints must not mix with the answers
    questions = sys.stdin.buffer
    inputs: EvaluationInputs = pickle.load(questions)  # noqa: S301 - written by the parent process
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)
    with threadpool_limits(limits=1):
        while (fold := _receive(questions)) is not None:
            _send(answers, _answer(inputs, fold))


class _Worker:
    """A worker process that is asked one fold at a time."""

    def __init__(self, payload: bytes) -> None:
        environment = {**os.environ, **_ONE_THREAD, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._process = subprocess.Popen(
            [sys.executable, "-c", _COMMAND], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        self._payload: bytes | None = payload

    def ask(self, fold: Fold) -> FoldOutcome:
        """Send a fold and wait for its outcome."""
        questions, answers = self._process.stdin, self._process.stdout
        if questions is None or answers is None:
            raise FoldWorkerError("the worker has no pipes")
        try:
            if self._payload is not None:
                questions.write(self._payload)
                self._payload = None
            _send(questions, fold)
            answer = _receive(answers)
        except (BrokenPipeError, pickle.UnpicklingError) as error:
            raise FoldWorkerError(self._end()) from error
        if isinstance(answer, FoldOutcome):
            return answer
        if isinstance(answer, Exception):
            raise answer
        raise FoldWorkerError(self._end())

    def stop(self) -> None:
        """End the process, also in the middle of a fold."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def _end(self) -> str:
        return f"a worker process ended without an answer (exit status {self._process.wait()})"


def _ask_idle(idle: queue.SimpleQueue[_Worker], fold: Fold) -> FoldOutcome:
    worker = idle.get()
    try:
        return worker.ask(fold)
    finally:
        idle.put(worker)


def _answer(inputs: EvaluationInputs, fold: Fold) -> FoldOutcome | Exception:
    try:
        return score_fold(inputs, fold)
    except Exception as error:  # noqa: BLE001 - raised again, unchanged, in the parent
        return error


def _send(stream: IO[bytes], message: Any) -> None:
    stream.write(pickle.dumps(message))
    stream.flush()


def _receive(stream: IO[bytes]) -> Any:
    """The next message; None at the end of the stream."""
    try:
        return pickle.load(stream)  # noqa: S301 - written by the process at the other end of our own pipe
    except EOFError:
        return None
