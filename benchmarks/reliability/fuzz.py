"""Damaged, odd and malicious files: one ``ValueError`` that names what is wrong, or an answer; never anything else.

``python benchmarks/reliability/fuzz.py --examples 500``: Hypothesis damages valid documents (bytes changed, cut out,
put in, cut off; in JSON also values replaced by odd ones), and every reader reads them. Counted as lost: another
exception than a reader promises, an example that takes longer than 5 s, and code that ran from data. ``--atheris
SECONDS`` (``pip install atheris``) lets Atheris look for them by coverage. Prints one JSON object of counts.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import importlib
import importlib.util
import io
import json
import os
import pickle
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

SECONDS = 5
MARKER = "CODE_FROM_DATA_RAN"


class HungError(BaseException):
    """An example that takes too long."""


class Bomb:
    """What a pickle can do to whoever reads it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (MARKER,)


@dataclass(frozen=True)
class Target:
    """A reader, valid documents for it to start from, and what it may raise."""

    name: str
    seeds: tuple[bytes, ...]
    read: Callable[[bytes], Any]
    promised: tuple[type[Exception], ...] = (ValueError,)
    json: bool = False
    """Whether the documents are JSON."""


def damaged(seeds: tuple[bytes, ...]) -> st.SearchStrategy[bytes]:
    """Valid documents with some edits."""
    edit = st.tuples(
        st.sampled_from(["change", "remove", "insert", "cut", "repeat"]),
        st.floats(0, 1, exclude_max=True),
        st.one_of(
            st.binary(min_size=1, max_size=8), st.sampled_from([b"\xff" * 4, b"\0" * 8, b"NaN", b"-1", b"1e999"])
        ),
    )

    def edited(seed: bytes, edits: list[tuple[str, float, bytes]]) -> bytes:
        content = bytearray(seed)
        for kind, place, piece in edits:
            at = int(place * (len(content) + 1))
            if kind == "change":
                content[at : at + len(piece)] = piece
            elif kind == "remove":
                del content[at : at + len(piece)]
            elif kind == "insert":
                content[at:at] = piece
            elif kind == "cut":
                del content[at:]
            else:
                content[at:at] = content[max(0, at - 40) : at]
        return bytes(content)

    return st.builds(edited, st.sampled_from(seeds), st.lists(edit, min_size=1, max_size=6))


ODD = st.sampled_from(
    [None, True, -1, 0, 1e308, 2**70, "", "x" * 200, "\0", "../../x", [], {}, [[]], {"a": {}}, [1, "b"], float("nan")]
)


def odd(seeds: tuple[bytes, ...]) -> st.SearchStrategy[bytes]:
    """Valid JSON with some values replaced, left out or put in; or nested deeper than a parser goes."""

    def replaced(seed: bytes, edits: list[tuple[float, str, Any]]) -> bytes:
        document = json.loads(seed)
        for place, how, value in edits:
            holders = list(_holders(document))
            holder, key = holders[int(place * len(holders))]
            if how == "leave out":
                del holder[key]
            elif how == "put in" and isinstance(holder, dict):
                holder["unknown"] = copy.deepcopy(value)
            else:
                holder[key] = copy.deepcopy(value)
        return json.dumps(document).encode()

    edits = st.tuples(st.floats(0, 1, exclude_max=True), st.sampled_from(["replace", "leave out", "put in"]), ODD)
    values = st.builds(replaced, st.sampled_from(seeds), st.lists(edits, min_size=1, max_size=2))
    return st.one_of(values, values, st.integers(1, 200000).map(lambda depth: b"[" * depth))


def _holders(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a document: what holds it, and its key there."""
    places = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(places):
        yield value, key
        yield from _holders(inner)


def from_file(read: Callable[[Path], Any], name: str) -> Callable[[bytes], Any]:
    """A reader of bytes from a reader of files."""

    def called(content: bytes) -> Any:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return read(path)

    return called


def targets() -> list[Target]:
    from safetensors.torch import save

    from tonedeaf.bassnet.checkpoint import read_document, read_state
    from tonedeaf.bassnet.config import preset
    from tonedeaf.bassnet.history import read_history
    from tonedeaf.bassnet.latent_path import read_path
    from tonedeaf.bassnet.manifest import decode_manifest
    from tonedeaf.bassnet.mix import read_mix
    from tonedeaf.bassnet.recording import read_recording
    from tonedeaf.bassnet.stored_audio import decode_audio
    from tonedeaf.harnesses.batching import parse_memory
    from tonedeaf.harnesses.tasks import make_task
    from tonedeaf.losses import make
    from tonedeaf.losses.checkpoints import read_checkpoint
    from tonedeaf.losses.numpy_archive import read_archive
    from tonedeaf.losses.tensorflow_checkpoint import read_tensors
    from tonedeaf.results import RecordStore
    from tonedeaf.results.record_document import decode_record

    record = (Path(__file__).parents[2] / "results" / "published").rglob("ranking-mss-*.json")
    document = next(iter(sorted(record))).read_bytes()
    tensors = {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.zeros(2)}
    run = json.dumps({"version": 1, "config": preset("tiny").to_json(), "loss": "paper"}).encode()
    state = save(tensors, metadata={"facts": json.dumps({"step": 3, "threshold": 0.5, "validation": {"loss": 1.0}})})

    def text(function: Callable[[str], Any]) -> Callable[[bytes], Any]:
        return lambda content: function(content.decode("utf-8", "replace"))

    def store(content: bytes) -> Any:
        path = Path("store") / "ranking-mss-0123456789abcdef.json"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        found = RecordStore(path.parent)
        return [found.trials(each) for each in found.read_all()]

    def sum_of(content: str) -> Any:
        if any(mark in content for mark in (".py", ":")):
            raise ValueError("a plug-in is code by design")
        return make(content)

    return [
        Target("record", (document,), lambda content: decode_record(content, "record.json"), json=True),
        Target("store of records", (document,), store, json=True),
        Target(
            "checkpoint, torch",
            (_torch_file(tensors), _torch_file(Bomb()), _pickled(Bomb())),
            from_file(read_checkpoint, "w.pt"),
        ),
        Target("checkpoint, safetensors", (save(tensors),), from_file(read_checkpoint, "w.safetensors")),
        Target("checkpoint, NumPy", (_archive(tensors), _archive_of_objects()), from_file(read_archive, "w.npz")),
        Target(
            "checkpoint, TensorFlow",
            (_tensorflow(),),
            from_file(lambda path: read_tensors(path, lambda _: True), "w.tar"),
        ),
        Target("checkpoint, BassNet", (state,), from_file(read_state, "last.safetensors")),
        Target(
            "configuration", (run,), from_file(lambda path: read_document(path.parent), "run/config.json"), json=True
        ),
        Target(
            "history",
            (b'{"step": 1, "seconds": 2.0, "learning_rate": 0.1, "training": {}, "validation": {}}\n',),
            from_file(lambda path: read_history(path.parent), "run/history.jsonl"),
            json=True,
        ),
        Target("manifest", (_manifest(),), lambda content: decode_manifest(content, Path("manifest.json")), json=True),
        Target("WAV, to learn from", _waves(), from_file(read_recording, "a.wav")),
        Target("WAV, a mix", _waves(), from_file(lambda path: read_mix(path, shortest=0.1), "m.wav")),
        Target("FLAC of a dataset", (_flac(),), decode_audio),
        Target(
            "latent path",
            (b"time,x,y\n0,0,0\n1.5,0.25,-1\n",),
            from_file(lambda path: read_path(path, 2, 100), "z.csv"),
        ),
        Target(
            "distance's text",
            (b"0.5*log_mss + 0.1*log_spectral_transport[n_fft=4096;padding=reflect]",),
            text(sum_of),
            (ValueError, ImportError),
        ),
        Target(
            "task's text",
            (b"harmonic[fmin=40;n_partials=10]",),
            text(lambda each: make_task(each, {}) if ":" not in each and ".py" not in each else None),
        ),
        Target("memory's text", (b"1.5 GiB",), text(parse_memory)),
    ]


def _torch_file(content: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def _pickled(content: Any) -> bytes:
    return pickle.dumps(content)


def _archive(tensors: dict[str, torch.Tensor]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **{name: tensor.numpy() for name, tensor in tensors.items()})  # pyright: ignore[reportArgumentType]
    return buffer.getvalue()


def _archive_of_objects() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, bomb=np.array([Bomb()], dtype=object))
    return buffer.getvalue()


def _waves() -> tuple[bytes, ...]:
    import soundfile

    time = np.arange(40000) / 16000
    found: list[bytes] = []
    for subtype in ("PCM_16", "FLOAT"):
        buffer = io.BytesIO()
        soundfile.write(buffer, 0.5 * np.sin(880 * time), 16000, format="WAV", subtype=subtype)
        found.append(buffer.getvalue())
    return tuple(found)


def _flac() -> bytes:
    from tonedeaf.bassnet.stored_audio import encode_audio, normalise_peak

    return encode_audio(normalise_peak(np.sin(np.arange(4000) / 9))[0])


def _tensorflow() -> bytes:
    """Written by the tests' own writer of the format."""
    path = Path(__file__).parents[2] / "tests" / "losses" / "tensorflow_bundle.py"
    specification = importlib.util.spec_from_file_location("tensorflow_bundle", path)
    assert specification is not None
    assert specification.loader is not None
    bundle = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(bundle)
    index = bundle.write_checkpoint(Path("model.ckpt"), {"a/W": np.ones((2, 3), "<f4"), "step": np.array(7, "<i8")})
    return bundle.pack(index, Path("model.tar")).read_bytes()


def _manifest() -> bytes:
    from tonedeaf.bassnet.manifest import Manifest, Recipe, RendererIdentity, encode_document

    recipe = Recipe(
        version=1,
        dataset="A1",
        seed=0,
        songs=1,
        seconds=4.0,
        sample_rate=16000,
        renderer=RendererIdentity(name="additive", version="1", licence="CC0"),
    )
    fields: dict[str, Any] = {name: getattr(recipe, name) for name in Recipe.__struct_fields__}
    whole: dict[str, Any] = {"level_range": ((-60.0, 0.0),), "groups": (0,), "song_sha256": ("0" * 64,)}
    return encode_document(Manifest(**fields, digest=recipe.content_digest, complete=True, **whole))


def fuzzed(target: Target, examples: int) -> dict[str, Any]:
    """Counts for one target, and what was lost, once each."""
    counts = {"tried": 0, "read": 0, "refused": 0, "lost": 0}
    reasons: dict[str, int] = {}

    def too_long(_signal: int, _frame: Any) -> None:
        raise HungError

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=tuple(HealthCheck),  # pyright: ignore[reportArgumentType]
    )
    @given(st.one_of(damaged(target.seeds), odd(target.seeds)) if target.json else damaged(target.seeds))
    def run(content: bytes) -> None:
        counts["tried"] += 1
        try:
            signal.setitimer(signal.ITIMER_REAL, SECONDS)
            with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
                warnings.simplefilter("ignore")
                target.read(content)
        except target.promised as error:
            counts["refused"] += 1
            if not str(error):
                _lose("a message that says nothing")
        except (Exception, HungError) as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            _lose(f"{type(error).__name__} in {Path(where.filename).name}:{where.lineno}: {str(error)[:80]}")
        else:
            counts["read"] += 1
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        if Path(MARKER).exists():
            Path(MARKER).rmdir()
            _lose("code ran from data")

    def _lose(reason: str) -> None:
        counts["lost"] += 1
        reasons[reason] = reasons.get(reason, 0) + 1

    signal.signal(signal.SIGALRM, too_long)
    run()
    return {**counts, "reasons": reasons}


def with_atheris(name: str, seconds: int) -> None:
    """Never returns: Atheris ends the process, with exit status 0 if nothing was found."""
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["tonedeaf"]):
        target = next(each for each in targets() if each.name == name)
    corpus = Path("corpus")
    corpus.mkdir()
    for number, seed in enumerate(target.seeds):
        (corpus / str(number)).write_bytes(seed)

    def one(content: bytes) -> None:
        with contextlib.suppress(*target.promised), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            target.read(content)
        if Path(MARKER).exists():
            raise RuntimeError("code ran from data")

    atheris.Setup([sys.argv[0], f"-max_total_time={seconds}", f"-timeout={SECONDS}", str(corpus)], one)
    atheris.Fuzz()


@contextlib.contextmanager
def scratch() -> Generator[None]:
    with tempfile.TemporaryDirectory() as temporary:
        before = Path.cwd()
        os.chdir(temporary)
        try:
            yield
        finally:
            os.chdir(before)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=500)
    parser.add_argument("--target", default=None, help="one of them by name")
    parser.add_argument("--atheris", type=int, default=0, metavar="SECONDS", help="of the target, in place of examples")
    options = parser.parse_args()
    with scratch():
        if options.atheris:
            with_atheris(options.target, options.atheris)
        chosen = [each for each in targets() if options.target in (None, each.name)]
        print(json.dumps({each.name: fuzzed(each, options.examples) for each in chosen}))
