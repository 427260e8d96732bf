from __future__ import annotations

import dataclasses
import importlib.util
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Literal

import pytest
import torch
from torch import Tensor

from tonedeaf.bassnet.checkpoint import BEST, TENSORBOARD
from tonedeaf.bassnet.config import BassNetConfig
from tonedeaf.bassnet.features import FeatureSet
from tonedeaf.bassnet.history import read_history
from tonedeaf.bassnet.model import BassNet
from tonedeaf.bassnet.processes import Processes, alone
from tonedeaf.bassnet.run import Run, load_run
from tonedeaf.bassnet.trainer import DivergedError, Trainer, initial_model, multiplies_in_bfloat16
from tonedeaf.bassnet.training import Progress, train
from tonedeaf.bassnet.validation import validate
from tonedeaf.bassnet.windows import Windows, WindowSource

MakeFeatures = Callable[..., FeatureSet]
MakeConfig = Callable[..., BassNetConfig]
TrainIn = Callable[..., Run]
Contents = Callable[[Path], dict[str, bytes]]


# The course of a training


def test_the_losses_of_the_first_steps_are_frozen():
    golden = _golden()
    expected: list[dict[str, float]] = json.loads(golden.GOLDEN.read_text(encoding="utf-8"))
    found: list[dict[str, float]] = golden.golden_curve(golden.golden_config())
    # Before the first update single precision decides: 7e-6 at most between 1 and 2 threads, SSE and AVX-512, oneDNN
    # and none. Then Adam makes the sign of a gradient near 0 a step: up to 4e-4 of the loss, and 1e-3 of a divergence.
    assert found[0] == pytest.approx(expected[0], rel=1e-4)
    for ours, frozen in zip(found, expected, strict=True):
        assert ours == pytest.approx(frozen, rel=2e-3, abs=3e-3)


def test_bfloat16_shows_and_auto_takes_it_where_the_processor_does():
    golden = _golden()
    config: BassNetConfig = golden.golden_config()

    def first(precision: Literal["fp32", "bf16", "auto"]) -> dict[str, float]:
        chosen = dataclasses.replace(config, training=dataclasses.replace(config.training, precision=precision))
        return golden.golden_curve(chosen)[0]

    single, half = first("fp32"), first("bf16")
    assert half != single
    assert half["loss"] == pytest.approx(single["loss"], rel=0.02)  # 8 bits
    assert first("auto") == (half if multiplies_in_bfloat16(torch.device("cpu")) else single)


def _golden() -> ModuleType:
    script = Path(__file__).parents[1] / "golden" / "regenerate_training.py"
    spec = importlib.util.spec_from_file_location("regenerate_training", script)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def test_a_run_is_a_function_of_its_seed(
    contents: Contents, train_in: TrainIn, make_config: MakeConfig, tmp_path: Path
):
    for name, seed in (("one", 5), ("two", 5), ("other", 6)):
        train_in(name, config=make_config(seed=seed))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert (tmp_path / "one" / BEST).read_bytes() != (tmp_path / "other" / BEST).read_bytes()


def test_training_leaves_torchs_random_numbers_alone(train_in: TrainIn):
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    train_in()
    assert torch.equal(torch.random.get_rng_state(), before)


def test_it_learns(train_in: TrainIn, make_config: MakeConfig, tmp_path: Path):
    train_in(config=make_config(max_steps=60), checkpoint_seconds=60)
    history = read_history(tmp_path / "run")
    assert [entry.step for entry in history] == list(range(3, 61, 3))
    assert history[-1].training["loss"] < 0.9 * history[0].training["loss"]
    assert history[-1].validation["loss"] < history[0].validation["loss"]
    assert set(history[0].training) == {"kl", "cross_kl", "spectral", "f0", "level", "onset", "loss"}
    assert set(history[0].validation) == set(history[0].training) - {"cross_kl"}


def test_the_best_weights_are_kept(
    train_in: TrainIn, make_config: MakeConfig, make_features: MakeFeatures, tmp_path: Path
):
    config = make_config(max_steps=60, learning_rate=0.1)
    run = train_in(config=config, checkpoint_seconds=60)
    losses = {entry.step: entry.validation["loss"] for entry in read_history(tmp_path / "run")}
    assert run.step == min(losses, key=losses.__getitem__) < 60
    assert run.steps == 60
    assert run.finished
    source = WindowSource(make_features((40,), seed=1), config.model, config.cqt)
    found = validate(run.model, source, config.objective, windows=config.training.validation_windows)
    assert found == pytest.approx(dict(run.validation), rel=1e-5)
    assert run.validation["loss"] == losses[run.step]
    assert not run.model.training
    assert 0 <= run.threshold <= 1


def test_it_stops_when_nothing_improves(train_in: TrainIn, make_config: MakeConfig, tmp_path: Path):
    run = train_in(config=make_config(max_steps=3000, learning_rate=0.1, patience=3), checkpoint_seconds=60)
    history = read_history(tmp_path / "run")
    assert run.steps == history[-1].step < 3000
    assert run.steps == run.step + 3 * 3


def test_it_stops_in_time(train_in: TrainIn, make_config: MakeConfig):
    run = train_in(config=make_config(max_steps=None, max_seconds=0.001))
    assert run.steps == 3  # the mini-epoch in which the time ended


def test_progress_tells_losses_and_the_time_left(train_in: TrainIn):
    told: list[Progress] = []
    train_in(progress=told.append)
    assert [each.step for each in told] == [1, 2, 3, 3, 4, 5, 6, 6, 7, 8, 9, 9]
    assert not told[0].validation
    assert told[3].validation["loss"] == told[3].best_loss
    assert told[-1].seconds_left == 0
    assert all(each.seconds_left is not None and each.steps == 9 for each in told)


def test_tensorboard_has_the_scalars(train_in: TrainIn, tmp_path: Path):
    train_in()
    (events,) = (tmp_path / "run" / TENSORBOARD).iterdir()
    content = events.read_bytes()
    for name in (b"validation/f0", b"training/cross_kl", b"learning_rate", b"validation/loss"):
        assert name in content


@pytest.mark.parametrize("seconds", [5.0, 2.0])
def test_the_windows_of_a_pair_are_near_each_other(
    seconds: float, make_config: MakeConfig, make_features: MakeFeatures, monkeypatch: pytest.MonkeyPatch
):
    """5 s, as in the paper, are 500 frames; the partner of window ``i`` is half a batch further on."""
    config = make_config(batch=400) if seconds == 5 else make_config(batch=400, neighbourhood=seconds)
    drawn: list[Tensor] = []
    take = WindowSource.take

    def noted(source: WindowSource, first: Tensor, *, transposed: Tensor | None = None) -> Windows:
        drawn.append(first)
        return take(source, first, transposed=transposed)

    monkeypatch.setattr(WindowSource, "take", noted)
    features = make_features((3000, 2000))
    trainer = Trainer(
        config,
        WindowSource(features, config.model, config.cqt),
        audio_term=None,
        initial=None,
        processes=alone(torch.device("cpu")),
    )
    trainer.advance(1, lambda: None)
    (first,) = drawn
    one, other = first.view(2, 200)
    furthest = (one - other).abs().max().item()
    assert 0.95 * 100 * seconds < furthest <= 100 * seconds
    assert torch.equal(one < 3000, other < 3000), "of one song"


def test_a_cosine_ends_at_zero(make_config: MakeConfig, make_features: MakeFeatures):
    config = make_config(learning_rate_decay="cosine", learning_rate=0.1, max_steps=4)
    trainer = Trainer(
        config,
        WindowSource(make_features(), config.model, config.cqt),
        audio_term=None,
        initial=None,
        processes=alone(torch.device("cpu")),
    )
    rates: list[float] = []
    trainer.advance(4, lambda: rates.append(trainer.learning_rate))
    assert rates == pytest.approx([0.1, 0.0853553, 0.05, 0.0146447], rel=1e-5)


def test_bfloat16_learns_too(train_in: TrainIn, make_config: MakeConfig, tmp_path: Path):
    run = train_in(config=make_config(precision="bf16", max_steps=60), checkpoint_seconds=60)
    history = read_history(tmp_path / "run")
    assert history[-1].training["loss"] < 0.9 * history[0].training["loss"]
    assert all(each.dtype == torch.float32 for each in run.model.parameters())


# The objective's variants


def test_the_ablation_has_no_partner(train_in: TrainIn, make_config: MakeConfig, tmp_path: Path):
    train_in(config=make_config(cross_reconstruction=False))
    assert "cross_kl" not in read_history(tmp_path / "run")[0].training


def test_a_term_without_weight_is_logged_and_not_learnt(train_in: TrainIn, make_config: MakeConfig, tmp_path: Path):
    train_in(config=make_config(spectral_weight=0.0))
    training = read_history(tmp_path / "run")[0].training
    weighted = 0.01 * (training["kl"] + training["cross_kl"]) + training["f0"] + training["level"] + training["onset"]
    assert training["loss"] == pytest.approx(weighted, rel=1e-5)
    assert training["spectral"] > 0


def test_the_output_starts_at_the_basses_scale(make_config: MakeConfig, make_features: MakeFeatures):
    config, features = make_config(), make_features()
    source = WindowSource(features, config.model, config.cqt)
    batch = source.take(source.spread(50))
    noise = torch.zeros(len(batch.x), 2)
    scaled = initial_model(config, features).train()(batch.x, batch.y, noise, partners=False)[1].y
    assert scaled.mean().item() == pytest.approx(features.bass.float().mean().item(), abs=1e-3)
    unscaled = initial_model(make_config(start_at_scale=False), features)
    assert unscaled.train()(batch.x, batch.y, noise, partners=False)[1].y.mean().item() == pytest.approx(0, abs=1e-3)


class Pull:
    """An audio term that draws, and pulls a weight."""

    def __init__(self) -> None:
        self.drawn: list[int] = []

    def __call__(
        self, model: BassNet, features: FeatureSet, generator: torch.Generator, step: int
    ) -> Mapping[str, Tensor]:
        assert model.training
        self.drawn.append(int(torch.randint(1000, (), generator=generator)))
        return {"loss": model.mu.bias.square().sum() * 100, "judge": torch.tensor(float(step))}


def test_an_audio_term_is_added_and_logged(train_in: TrainIn, tmp_path: Path):
    term = Pull()
    train_in("with", audio_term=term)
    train_in("without")
    (first, *_), (plain, *_) = (read_history(tmp_path / name) for name in ("with", "without"))
    assert first.training["judge"] == 1  # steps 0, 1, 2
    assert first.training["audio"] > 0
    assert "audio" not in first.validation
    assert first.training["loss"] > plain.training["loss"]
    # The same batches: before the first update the objective's own terms are the same.
    assert len(set(term.drawn)) > 1


def test_what_an_audio_term_draws_changes_no_batch(make_config: MakeConfig, make_features: MakeFeatures):
    config = make_config()
    trainers = [
        Trainer(
            config,
            WindowSource(make_features(), config.model, config.cqt),
            audio_term=term,
            initial=None,
            processes=alone(torch.device("cpu")),
        )
        for term in (Pull(), None)
    ]
    first, second = (trainer.advance(1, lambda: None) for trainer in trainers)
    assert first["spectral"] == second["spectral"]
    assert torch.equal(trainers[0].state().tensors["generator"], trainers[1].state().tensors["generator"])


def test_training_may_start_from_another_model(train_in: TrainIn, make_config: MakeConfig, make_features: MakeFeatures):
    before = train_in("before", config=make_config(max_steps=30)).model
    config = make_config(learning_rate=1e-9, max_steps=1)
    after = train_in("after", config=config, initial=before).model
    for one, other in zip(before.parameters(), after.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-6)
    with pytest.raises(ValueError, match="initial is a checkpoint of another configuration"):
        train_in("wrong", config=make_config(maps=4), initial=before)


def test_a_loss_that_is_no_number_names_step_and_term(
    make_features: MakeFeatures, make_config: MakeConfig, tmp_path: Path
):
    config = make_config(max_steps=9)
    features = make_features()
    level = features.level.clone()
    level[30] = torch.nan
    spoilt = dataclasses.replace(features, level=level)
    with pytest.raises(DivergedError, match=r"^level is nan at step \d: training has diverged \(learning rate 0.01\)"):
        train(config, spoilt, features, tmp_path / "run")


def test_a_validation_loss_that_is_no_number_stops_too(
    make_features: MakeFeatures, make_config: MakeConfig, tmp_path: Path
):
    features = make_features()
    spoilt = dataclasses.replace(features, level=features.level * torch.nan)
    with pytest.raises(DivergedError, match=r"^validation's level is nan after step 2: training has diverged"):
        train(make_config(), features, spoilt, tmp_path / "run")


def test_a_diverged_run_keeps_its_last_checkpoint(train_in: TrainIn, make_config: MakeConfig, tmp_path: Path):
    class Explode(Pull):
        def __call__(
            self, model: BassNet, features: FeatureSet, generator: torch.Generator, step: int
        ) -> Mapping[str, Tensor]:
            found = super().__call__(model, features, generator, step)
            return {**found, "loss": found["loss"] * (torch.inf if step == 7 else 1)}

    with pytest.raises(DivergedError, match="at step 7"):
        train_in(audio_term=Explode())
    run = load_run(tmp_path / "run")
    assert (run.steps, run.finished) == (6, False)


def test_songs_shorter_than_a_window(make_features: MakeFeatures, make_config: MakeConfig, tmp_path: Path):
    with pytest.raises(ValueError, match="no song is as long as a window of 8 frames"):
        train(make_config(), make_features(), make_features((7,)), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_pairs_must_be_shared_equally():
    processes = Processes(index=1, count=2, device=torch.device("cpu"), accelerator=None)
    pairs = torch.arange(12).reshape(2, 6)
    assert processes.share(pairs).tolist() == [[3, 4, 5], [9, 10, 11]]
    with pytest.raises(ValueError, match="3 pairs a step cannot be shared equally by 2 processes"):
        processes.share(pairs[:, :3])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("compiled", [False, True])
def test_a_gpu_trains(make_features: MakeFeatures, make_config: MakeConfig, tmp_path: Path, compiled: bool):
    config = make_config(max_steps=60, precision="bf16", compile=compiled)
    train(config, make_features(device="cuda"), make_features((40,), seed=1, device="cuda"), tmp_path / "run")
    history = read_history(tmp_path / "run")
    assert history[-1].training["loss"] < 0.9 * history[0].training["loss"]
