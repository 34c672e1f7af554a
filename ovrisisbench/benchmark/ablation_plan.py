"""What an ablation will train: every row with every seed, each different training once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from ovrisisbench.adapter.ablations import Ablation, AblationFile, AblationRow, load_ablations
from ovrisisbench.adapter.interface import AdapterInfo
from ovrisisbench.adapter.registry import find_adapter, list_adapters
from ovrisisbench.benchmark.inputs import choose_backbone, datasets_to_run, open_prepared
from ovrisisbench.benchmark.training import TrainOptions, training_identity, with_shipped_encoders
from ovrisisbench.catalog import Protocol, load_card, load_protocol, protocol_for_training_set
from ovrisisbench.catalog.identity import content_digest
from ovrisisbench.errors import AdapterError, RecordError, TrainingError, did_you_mean
from ovrisisbench.records.published_ablations import PublishedAblation, read_published_ablations

__all__ = ["AblateOptions", "AblationPlan", "PlannedBlock", "PlannedRow", "PlannedTraining", "plan_ablations"]

_DRAWN_TRAIN_SET = "mini-dlrsd"
"""Of all tables where the backbone is ``tiny``: one, so that rows that are equal in two tables are trained once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AblateOptions:
    """What a user may say of ablations beside their names and folder."""

    model: str | None = None
    """None for the only model that has ablations."""
    train_sets: Sequence[str] | None = None
    """Keys; None for those of the source, and for the first one's drawn counterpart where the backbone is ``tiny``."""
    test_sets: Sequence[str] | None = None
    """Keys; None for those of the source, or their drawn counterparts."""
    seeds: Sequence[int] = (0,)
    data: Path = Path("data")
    protocol: str | None = None
    limit: int | None = None
    """Measure only so many images of each data set."""
    training: TrainOptions = field(default_factory=lambda: TrainOptions(backbone="tiny"))
    """Of every row; a row's own settings and recipe fields win. ``seed`` and ``resume`` are not read, and nothing is
    measured during training unless the recipe says ``evaluate_every``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTraining:
    """One training, and where its weights are measured."""

    name: str
    """Of its folders."""
    train_set: str
    rules: Protocol
    test_sets: tuple[str, ...]
    """In the order of the protocol."""
    options: TrainOptions
    rows: tuple[str, ...]
    """Which rows of which tables it serves."""

    @property
    def settings(self) -> str:
        """Switches and recipe fields of the row, as typed."""
        own = {**self.options.settings, "finetune": self.options.recipe.get("finetune")}
        return " ".join(f"{name}={value}" for name, value in own.items() if value is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRow:
    """One row of a table."""

    row: AblationRow
    trainings: tuple[str, ...]
    """Names, in the order of the seeds; none where the row cannot be run."""
    missing: str = ""
    """One sentence: why it cannot be run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedBlock:
    """The rows of one table that were trained on one data set."""

    ablation: str
    definition: Ablation
    published: PublishedAblation
    train_set: str
    rules: Protocol
    test_sets: tuple[str, ...]
    rows: tuple[PlannedRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AblationPlan:
    """All of it, checked."""

    info: AdapterInfo
    backbone: str
    blocks: tuple[PlannedBlock, ...]
    trainings: dict[str, PlannedTraining]
    """By name, in the order in which they are begun."""
    shared: TrainOptions
    """What all of them have in common, shipped encoders included."""


def plan_ablations(names: Sequence[str], options: AblateOptions) -> AblationPlan:
    """Say what is to be trained and measured, and check everything that can be checked before.

    Args:
        names: of ablations, or ``all``.
        options: everything else.

    Raises:
        OvrisisBenchError: any mistake in the input, as one sentence.
    """
    info = _model(options.model)
    file = load_ablations(info.ablations)
    wanted = _wanted(names, file, info)
    backbone = choose_backbone(info, options.training.backbone)
    if not options.seeds or len(set(options.seeds)) != len(options.seeds):
        raise TrainingError("--seeds names no seed, or one of them twice.")
    _check_files(info, file, options)
    options = replace(options, training=with_shipped_encoders(info, backbone, options.training))
    planner = _Planner(info, file, backbone, options)
    blocks = tuple(
        planner.block(name, train_set)
        for name in wanted
        for train_set in _train_sets(file.ablations[name], backbone, options)
    )
    if not planner.trainings:
        raise TrainingError(f"There is nothing to run: {blocks[0].rows[0].missing or blocks[0].rows[-1].missing}")
    return AblationPlan(
        info=info, backbone=backbone, blocks=blocks, trainings=planner.trainings, shared=options.training
    )


class _Planner:
    """Collects trainings; rows that ask for the same one share it."""

    def __init__(self, info: AdapterInfo, file: AblationFile, backbone: str, options: AblateOptions) -> None:
        from ovrisisbench.adapter.checkpoints import file_digest

        self._info, self._file, self._backbone, self._options = info, file, backbone, options
        self._digest = cache(file_digest)
        self.trainings: dict[str, PlannedTraining] = {}

    def block(self, name: str, train_set: str) -> PlannedBlock:
        definition = self._file.ablations[name]
        rules = load_protocol(self._options.protocol or protocol_for_training_set(train_set))
        published = _published(definition)
        test_sets = _test_sets(rules, published, self._options)
        for key in datasets_to_run(rules, test_sets, self._options.data):
            open_prepared(rules, key, self._options.data)
        rows = tuple(
            self._row(row, name=name, train_set=train_set, rules=rules, test_sets=test_sets) for row in definition.rows
        )
        return PlannedBlock(
            ablation=name,
            definition=definition,
            published=published,
            train_set=train_set,
            rules=rules,
            test_sets=test_sets,
            rows=rows,
        )

    def _row(
        self, row: AblationRow, *, name: str, train_set: str, rules: Protocol, test_sets: tuple[str, ...]
    ) -> PlannedRow:
        shared, options, definition = self._options.training, self._options, self._file.ablations[name]
        family = load_card(train_set).family
        turned = self._file.settings_of(
            definition, row, changes=shared.settings, backbone=self._backbone, train_set=family
        )
        files = self._file.files_of(row, turned)
        # Encoders without a file may start at random, but a file that takes another's place is what the row is about.
        may_be_random = self._backbone == "tiny" or shared.untrained or shared.checkpoint is not None
        for encoder, file in files.items():
            if file not in shared.weights and not (may_be_random and file == encoder):
                what = self._file.extra_files.get(file) or self._info.pretrained.get(file, "")
                return PlannedRow(row=row, trainings=(), missing=f"needs --weights {file}=FILE: {what}")
        chosen = replace(
            shared,
            backbone=self._backbone,
            settings=turned,
            recipe={"evaluate_every": "0", **shared.recipe, **row.recipe},
            weights={encoder: shared.weights[file] for encoder, file in files.items() if file in shared.weights},
            resume=True,
        )
        identity = training_identity(
            self._info.name,
            train_set=train_set,
            data=options.data,
            protocol=options.protocol or rules.name,
            options=chosen,
            digest=self._digest,
        )
        clip = None if isinstance(shared.clip_weights, Path) else shared.clip_weights
        identity |= {"--clip-weights by name": clip, "--untrained": shared.untrained}
        names = []
        for seed in options.seeds:
            name_of_training = f"{train_set}_seed{seed}_{content_digest({**identity, 'seed': seed})[:12]}"
            known = self.trainings.get(name_of_training)
            both = {*test_sets, *(known.test_sets if known else ())}
            self.trainings[name_of_training] = PlannedTraining(
                name=name_of_training,
                train_set=train_set,
                rules=rules,
                test_sets=tuple(key for key in rules.datasets if key in both),
                options=replace(chosen, seed=seed),
                rows=(*(known.rows if known else ()), f"{name} {train_set}: {_words(row)}"),
            )
            names.append(name_of_training)
        return PlannedRow(row=row, trainings=tuple(names))


def _model(wanted: str | None) -> AdapterInfo:
    having = [found.info for found in list_adapters()[0] if found.info.ablations]
    info = find_adapter(wanted).info if wanted else having[0] if len(having) == 1 else None
    if info is None or not info.ablations:
        names = ", ".join(found.name for found in having)
        given = f"{info.title} has no ablations" if info else "Several models have ablations"
        raise AdapterError(f"{given}; say --model with one of {names}.")
    return info


def _wanted(names: Sequence[str], file: AblationFile, info: AdapterInfo) -> list[str]:
    for name in names:
        if name != "all" and name not in file.ablations:
            raise AdapterError(
                f"{info.title} has no ablation '{name}'; it has {', '.join(file.ablations)}, or all of them by 'all'."
                f"{did_you_mean(name, file.ablations)}"
            )
    return [name for name in file.ablations if name in names or "all" in names]


def _check_files(info: AdapterInfo, file: AblationFile, options: AblateOptions) -> None:
    known = [*info.pretrained, *file.extra_files]
    for name in options.training.weights:
        if name not in known:
            raise AdapterError(
                f"No row starts from a file named '{name}'; the files are {', '.join(known)}."
                f"{did_you_mean(name, known)}"
            )


def _train_sets(definition: Ablation, backbone: str, options: AblateOptions) -> Sequence[str]:
    if options.train_sets:
        return options.train_sets
    if backbone != "tiny":
        return definition.train_sets
    return (_DRAWN_TRAIN_SET,)


def _published(definition: Ablation) -> PublishedAblation:
    for table in read_published_ablations():
        if table.name == definition.published:
            return table
    raise RecordError(f"There is no published table '{definition.published}', which an ablation refers to.")


def _test_sets(rules: Protocol, published: PublishedAblation, options: AblateOptions) -> tuple[str, ...]:
    """Return keys in the order of the protocol: those named, those of the source, or the ones drawn after them."""
    if options.test_sets:
        for key in options.test_sets:
            rules.test_set(key)
        return tuple(key for key in rules.datasets if key in options.test_sets)
    fitting = tuple(key for key in rules.datasets if load_card(key).family in published.test_sets)
    return fitting or rules.datasets


def _words(row: AblationRow) -> str:
    """Return a row's switches in words."""
    on = [name if value is True else f"{name}={value}" for name, value in row.switches.items() if value is not False]
    return " ".join(on) or "none"
