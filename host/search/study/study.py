"""All trials of a search on disk, in an Optuna study that survives being killed.

The study is an SQLite file: a trial is written completely or not at all, even if the process is
killed. A trial's result is written before Optuna marks it as finished, so a running trial without a
result was interrupted, and waits in Optuna's own queue to be tried again. Optuna's heartbeats would
show that a process has died only after some time, and only for `Study.optimize`; here the lock on
the folder shows it immediately.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeinfer.device.core.errors import StorageError
from edgeinfer.device.models.bundle.strict import SchemaError, from_json, parse_json, to_json
from edgeinfer.host.search.budget import Budget
from edgeinfer.host.search.candidate import Baseline, Candidate, Trial
from edgeinfer.host.search.space import Space

if TYPE_CHECKING:
    import optuna

_BASELINE, _SPENT, _TEST_USES = "baseline", "spent_s", "test_uses"
_TRIAL, _CANDIDATE = "trial", "candidate"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A candidate that is being tried.

    Attributes:
        number: of its trial.
        candidate: the candidate to try.
    """

    number: int
    candidate: Candidate


class SearchStudy:
    """The trials of one search; `file.open_study` returns it.

    Args:
        study: Optuna's.
        space: the candidates.
        budget: the limits, which become Optuna's constraints.
        seed: of the sampler.
    """

    def __init__(self, study: optuna.Study, space: Space, budget: Budget, seed: int) -> None:
        self._study, self._space, self._budget, self._seed = study, space, budget, seed
        self._open: dict[int, optuna.Trial] = {}
        self._queue: list[str] = []
        self._settle()

    def trials(self) -> list[Trial]:
        """Return the result of each candidate so far, in the order in which they were tried."""
        return [
            trial
            for record in self._study.get_trials(deepcopy=False)
            if (trial := _trial_of(record.user_attrs)) is not None
        ]

    def baseline(self) -> Baseline | None:
        """Return the run's own figures, if they are already measured."""
        text = self._study.user_attrs.get(_BASELINE)
        return None if text is None else from_json(Baseline, parse_json(text.encode()))

    def set_baseline(self, baseline: Baseline) -> None:
        """Keep the run's own figures."""
        self._study.set_user_attr(_BASELINE, json.dumps(to_json(baseline)))

    @property
    def spent_s(self) -> float:
        """How long the search has run in all starts, seconds."""
        return float(self._study.user_attrs.get(_SPENT, 0.0))

    def set_spent(self, seconds: float) -> None:
        """Save how long the search has run."""
        self._study.set_user_attr(_SPENT, round(seconds, 3))

    @property
    def test_uses(self) -> int:
        """How many winners were measured on the test split."""
        return int(self._study.user_attrs.get(_TEST_USES, 0))

    def count_test_use(self) -> None:
        """Count another one."""
        self._study.set_user_attr(_TEST_USES, self.test_uses + 1)

    def ask(self) -> Asked:
        """Return the next candidate: a waiting one, else the sampler's choice."""
        import optuna

        # A sampler that starts with the same seed each time would repeat itself.
        done = len(self._study.get_trials(deepcopy=False))
        waiting = self._study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.WAITING,))
        if self._queue and not waiting:
            self._enqueue(self._queue.pop(0))
        self._study.sampler = _sampler(self._seed + done)
        trial = self._study.ask()
        kept = trial.user_attrs.get(_CANDIDATE)
        if kept is not None:
            candidate = from_json(Candidate, parse_json(kept.encode()))
            if candidate.kind != "plain":
                # Optuna learns only from parameters that were asked for.
                self._space.suggest(trial)
        else:
            candidate = self._space.suggest(trial)
            trial.set_user_attr(_CANDIDATE, json.dumps(to_json(candidate)))
        self._open[trial.number] = trial
        return Asked(number=trial.number, candidate=candidate)

    def tell(self, trial: Trial, baseline: Baseline) -> None:
        """Save the result of a candidate, and let the sampler learn from it."""
        record = self._open.pop(trial.number)
        footprint = trial.footprint if trial.measured is None else trial.measured.footprint
        if footprint is not None:
            excess = self._budget.excess(
                float_accuracy=baseline.float_accuracy,
                accuracy=None if trial.measured is None else trial.measured.accuracy,
                invoke_ms=footprint.invoke_ms,
                size_bytes=footprint.size_bytes,
            )
            for name, part in excess.items():
                record.set_constraint(name, part)
        # The last entry that is written: if it exists, the trial only has to be finished.
        record.set_user_attr(_TRIAL, json.dumps(to_json(trial)))
        self._conclude(trial)

    def interrupt(self, number: int) -> None:
        """Mark a candidate as unfinished: it is the next to try."""
        self._retry(self._open.pop(number))

    def _conclude(self, trial: Trial) -> None:
        import optuna

        state = optuna.trial.TrialState
        measured = trial.measured
        if trial.candidate.kind == "plain":
            # Not a dimension of the space: nothing to learn from.
            self._study.tell(trial.number, state=state.FAIL)
        elif measured is not None:
            figures = [measured.accuracy, measured.footprint.ratio]
            if self._budget.size_kb is not None:
                figures.append(measured.footprint.size_bytes / 1000)
            self._study.tell(trial.number, figures)
        else:
            unlearned = trial.outcome != "not trained" or trial.retry
            self._study.tell(trial.number, state=state.FAIL if unlearned else state.PRUNED)

    def _retry(self, record: optuna.Trial | optuna.trial.FrozenTrial) -> None:
        import optuna

        # In this order a kill in between costs a repeated trial, not the candidate.
        if (text := record.user_attrs.get(_CANDIDATE)) is not None:
            self._enqueue(text)
        self._study.tell(record.number, state=optuna.trial.TrialState.FAIL)

    def _settle(self) -> None:
        """Clean up after a killed process, at whatever moment it was killed."""
        import optuna

        for record in self._study.get_trials(states=(optuna.trial.TrialState.RUNNING,)):
            if (trial := _trial_of(record.user_attrs)) is not None:
                self._conclude(trial)
            else:
                self._retry(record)

    def enqueue(self, candidates: Sequence[Candidate]) -> None:
        """Queue candidates that had too little time, since there may be more now, then the first
        ones.

        Args:
            candidates: the first ones; those that are already queued or tried are left out.
        """
        last = {
            text: record
            for record in self._study.get_trials(deepcopy=False)
            if (text := record.user_attrs.get(_CANDIDATE)) is not None
        }
        self._queue = [text for text, record in last.items() if _comes_again(record)]
        texts = [json.dumps(to_json(candidate)) for candidate in candidates]
        self._queue += [text for text in texts if text not in last]

    def _enqueue(self, text: str) -> None:
        candidate = from_json(Candidate, parse_json(text.encode()))
        plain = candidate.kind == "plain"
        parameters = {} if plain else self._space.parameters(candidate)
        self._study.enqueue_trial(parameters, user_attrs={_CANDIDATE: text})

    def same(self, candidate: Candidate, before: int) -> Trial | None:
        """Return the trial, numbered below `before`, of the same candidate that needs no retry."""
        return next(
            (
                trial
                for trial in self.trials()
                if trial.number < before and trial.candidate == candidate and not trial.retry
            ),
            None,
        )


def _sampler(seed: int) -> optuna.samplers.BaseSampler:
    """Return TPE (Bergstra et al. 2011), in Optuna's form for several goals with constraints.

    NSGA-II, Optuna's other sampler for several goals, needs generations of about fifty; a search
    has time for a few dozen candidates.
    """
    import optuna

    return optuna.samplers.TPESampler(seed=seed % 2**32, n_startup_trials=8)


def _comes_again(record: optuna.trial.FrozenTrial) -> bool:
    """Return whether the last trial of a candidate allows another try."""
    if (trial := _trial_of(record.user_attrs)) is not None:
        return trial.retry
    return record.state.is_finished()  # interrupted in an earlier version, which queued nothing


def _trial_of(attributes: Mapping[str, Any]) -> Trial | None:
    text = attributes.get(_TRIAL)
    if text is None:
        return None
    try:
        return from_json(Trial, parse_json(text.encode()))
    except SchemaError as error:
        raise StorageError(
            "the search's study",
            got=f"a trial comes from another version of edgeinfer ({error})",
            next_step="start again with another --out",
        ) from error
