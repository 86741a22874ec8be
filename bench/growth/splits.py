"""The sample's first rows, in as many files as are wanted."""

from pathlib import Path

from local.sample import CSV, sample_transactions


def split(folder: Path, rows: int, files: int) -> list[Path]:
    """Writes so many rows, in the order of their times, to so many files of one size."""
    header, *texts = sample_transactions().head(rows).to_csv(**CSV).splitlines(keepends=True)
    folder.mkdir(parents=True)
    size = -(-rows // files)
    paths = []
    for number in range(files):
        path = folder / f"part-{number:05}.csv"
        path.write_text(header + "".join(texts[number * size : (number + 1) * size]))
        paths.append(path)
    return paths
