"""What conf/models/ holds, and what a wrong file is told."""

from pathlib import Path

import pytest

from medallion.errors import ConfigError
from medallion.models import load_model, model_names
from tests.conftest import edit


def test_every_model_loads() -> None:
    assert model_names() == ("customer_churn",)
    assert load_model("customer_churn").snapshots["spacing_days"] == 7


def test_an_address_that_a_model_tells_is_no_template(conf: Path) -> None:
    notify = {"on_failure": {"email": ["{{name}}@example.com"]}}
    edit(conf / "models" / "customer_churn.yaml", notify=notify)
    with pytest.raises(ConfigError, match=r"notify\.on_failure\.email\.0: expected pattern .* got '{{name"):
        load_model("customer_churn", conf)
