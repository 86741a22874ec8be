"""A job that is not sure of its counts fails."""

import pytest

from medallion.errors import MedallionError
from medallion.manifest import SourceFile
from spark_jobs.cleaning.account import require_balance
from spark_jobs.cleaning.files import Inspection
from spark_jobs.cleaning.metrics import Counts

FILE = Inspection(SourceFile("a.csv", 1, 1, "crc"), "a.csv")


def test_rows_that_are_neither_valid_nor_rejected_nor_duplicates_end_the_job() -> None:
    require_balance([FILE], [Counts(3, 1, 1, 1)])
    with pytest.raises(MedallionError, match=r"a.csv: expected read = valid \+ rejected \+ duplicate, got"):
        require_balance([FILE, FILE], [Counts(3, 1, 1, 1), Counts(3, 1, 1, 0)])
