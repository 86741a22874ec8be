"""What infra/ makes of conf/: products, contracts and environments without an edit of Terraform."""

import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from medallion.documents import ROOT
from medallion.environments import load_environment
from medallion.errors import ConfigError
from tests.infra.conftest import ENVIRONMENTS, Resources, copy, evaluate, of

CONTRACT = "conf/contracts/customer_transactions.yaml"
PRODUCT = "conf/products/customer_transactions.yaml"


def edited(file: Path, edit: Any) -> None:
    document = yaml.safe_load(file.read_text())
    edit(document)
    file.write_text(yaml.safe_dump(document, sort_keys=False))


def columns(resources: Resources, table: str) -> dict[str, dict[str, Any]]:
    schema = of(resources, "google_bigquery_table")[f'google_bigquery_table.silver["{table}"]']["schema"]
    return {column["name"]: column for column in json.loads(schema)}


def test_environments_differ_in_values_alone(environments: dict[str, Resources]) -> None:
    assert len(environments["dev"]) > 150
    places = {
        name: {address for address in found if "notification_channel" not in address}  # named after addresses
        for name, found in environments.items()
    }
    assert places["dev"] == places["prod"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
class TestAnEnvironmentsFile:
    """What DAGs submit to names what Terraform makes: the payload and the defaults are the same."""

    def test_names_the_identities(self, environment: str, environments: dict[str, Resources]) -> None:
        execution = load_environment(environment).spark.execution
        assert execution
        accounts = {
            item["account_id"] for item in of(environments[environment], "google_service_account").values()
        }
        for email in (execution.service_account, execution.training_service_account):
            assert email.partition("@")[0] in accounts

    def test_names_identities_as_google_takes_them(
        self, environment: str, environments: dict[str, Resources]
    ) -> None:
        """6 to 30 characters: https://cloud.google.com/iam/docs/service-accounts-create"""
        made = of(environments[environment], "google_service_account")
        names = [item["account_id"] for item in made.values()]
        assert len(names) == 6
        assert [name for name in names if not re.fullmatch(r"[a-z][-a-z0-9]{4,28}[a-z0-9]", name)] == []

    def test_names_the_subnetwork_and_the_key(
        self, environment: str, environments: dict[str, Resources]
    ) -> None:
        execution, found = load_environment(environment).spark.execution, environments[environment]
        assert execution
        subnetwork = found["google_compute_subnetwork.subnetwork"]["values"]
        assert execution.subnetwork.split("/")[3::2] == [subnetwork["region"], subnetwork["name"]]
        key = found['google_kms_crypto_key.key["dataproc"]']["values"]
        ring = found[key["key_ring"].removesuffix(".id")]["values"]
        assert execution.kms_key.split("/")[3::2] == [ring["location"], ring["name"], key["name"]]

    def test_names_the_buckets(self, environment: str, environments: dict[str, Resources]) -> None:
        wanted = load_environment(environment)
        assert wanted.spark.execution and wanted.composer
        buckets = {item["name"] for item in of(environments[environment], "google_storage_bucket").values()}
        named = {*wanted.buckets.values(), wanted.composer.bucket, wanted.spark.execution.staging_bucket}
        assert named < buckets
        assert len(buckets) == 8

    def test_gives_sessions_the_same_limits(
        self, environment: str, environments: dict[str, Resources]
    ) -> None:
        execution = load_environment(environment).spark.execution
        assert execution
        (session,) = of(environments[environment], "google_dataproc_session_template").values()
        default = session["environment_config"]["execution_config"]
        assert default["service_account"] == execution.service_account
        assert default["network_tags"] == execution.network_tags
        assert default["staging_bucket"] == execution.staging_bucket
        assert default["ttl"] == f"{execution.ttl_hours * 3600}s"


def test_composer_runs_the_airflow_that_the_dags_are_tested_with(dev: Resources) -> None:
    pinned = re.search(
        r"^apache-airflow==(\S+)", (ROOT / "requirements/pipeline.in").read_text(), re.MULTILINE
    )
    (composer,) = of(dev, "google_composer_environment").values()
    assert pinned
    assert composer["config"]["software_config"]["image_version"].startswith(
        f"composer-3-airflow-{pinned[1]}"
    )
    assert composer["config"]["software_config"]["env_variables"] == {"MEDALLION_ENVIRONMENT": "dev"}


def test_composers_snapshots_do_not_pile_up(dev: Resources) -> None:
    """Composer adds one each day and deletes none: the bucket's rules do, of the snapshots alone."""
    (composer,) = of(dev, "google_composer_environment").values()
    bucket = dev['google_storage_bucket.bucket["composer"]']["values"]
    rules = [rule["condition"] for rule in bucket["lifecycle_rule"] if rule["action"]["type"] == "Delete"]
    aged = [(rule["age"], rule["matches_prefix"]) for rule in rules if rule["age"]]
    place = composer["config"]["recovery_config"]["scheduled_snapshots_config"]["snapshot_location"]
    assert place == f"gs://{bucket['name']}/snapshots"
    assert aged == [(30, ["snapshots/"])]


def test_airflows_page_is_open_to_listed_ranges_alone() -> None:
    text = (ROOT / "infra/composer.tf").read_text()
    block = text[text.index("web_server_network_access_control {") :]
    assert 'dynamic "allowed_ip_range" {\n        for_each = var.web_allowed_ranges\n' in block
    for environment in ENVIRONMENTS:
        ranges = re.search(
            r"web_allowed_ranges\s*= \{(.*)\}", (ROOT / f"infra/{environment}.tfvars").read_text()
        )
        assert ranges
        assert re.findall(r'"([\d./]+)"', ranges[1])
        assert "0.0.0.0/0" not in ranges[1]


def test_a_new_product_needs_no_edit_of_terraform(tmp_path: Path) -> None:
    infra = copy(tmp_path)
    for file, name in ((PRODUCT, "products"), (CONTRACT, "contracts")):
        document = yaml.safe_load((tmp_path / file).read_text())
        (tmp_path / "conf" / name / "returns.yaml").write_text(
            yaml.safe_dump({**document, "name": "returns"})
        )
    (found,) = evaluate("dev", infra)
    assert 'google_bigquery_table.silver["returns"]' in found
    assert 'google_bigquery_table.silver["returns__superseded"]' in found
    assert 'google_monitoring_alert_policy.alert["stale_returns"]' in found


def test_silver_has_the_contracts_columns(dev: Resources) -> None:
    found = columns(dev, "customer_transactions")
    contract = yaml.safe_load((ROOT / CONTRACT).read_text())["schema"][0]["properties"]
    assert list(found)[: len(contract)] == [column["name"] for column in contract]
    assert found["net_sales"] == {
        "name": "net_sales",
        "type": "NUMERIC",
        "precision": "12",
        "scale": "2",
        "mode": "REQUIRED",
        "description": "Dollars that the store receives for the line.",
    }
    table = dev['google_bigquery_table.silver["customer_transactions"]']["values"]
    assert table["clustering"] == ["customer_id", "agent_id"]


def test_terraform_and_the_platform_make_silver_alike(dev: Resources) -> None:
    """The platform's CREATE TABLE IF NOT EXISTS finds Terraform's table, so they have to agree."""
    sql = (ROOT / "sql/pipeline/silver_tables.sql").read_text()
    layout = sql[sql.index("{% macro layout") : sql.index("{% endmacro %}")]
    own = re.findall(r"^  (\w+) (\w+) NOT NULL OPTIONS \(description = '([^']+)'\)", layout, re.MULTILINE)
    contract = yaml.safe_load((ROOT / CONTRACT).read_text())["schema"][0]["properties"]
    found = list(columns(dev, "customer_transactions").values())[len(contract) :]
    assert len(own) == 5
    assert {(item["name"], item["type"], item["description"]) for item in found} == set(own)


def test_every_personal_column_is_tagged_and_no_other(tmp_path: Path) -> None:
    infra = copy(tmp_path)

    def edit(document: dict[str, Any]) -> None:
        document["schema"][0]["properties"] += [
            {"name": "email", "physicalType": "STRING", "classification": "personal"},
            {
                "name": "phone",
                "physicalType": "STRING",
                "customProperties": [{"property": "protection", "value": "hash"}],
            },
            {
                "name": "birthday",
                "physicalType": "DATE",
                "classification": "personal",
                "customProperties": [{"property": "protection", "value": "drop"}],
            },
        ]

    edited(tmp_path / CONTRACT, edit)
    (found,) = evaluate("dev", infra)
    for table in ("customer_transactions", "customer_transactions__superseded"):
        schema = columns(found, table)
        tagged = {name: column["policyTags"] for name, column in schema.items() if "policyTags" in column}
        tag = {"names": ["google_data_catalog_policy_tag.personal.id"]}
        assert tagged == {"email": tag, "phone": tag}
        assert "birthday" not in schema


def test_what_a_contract_refers_to_may_be_read_as_a_whole(tmp_path: Path) -> None:
    infra = copy(tmp_path)

    def edit(document: dict[str, Any]) -> None:
        document["schema"][0]["properties"][0]["relationships"] = [{"to": "customer_transactions.order_id"}]

    edited(tmp_path / CONTRACT, edit)
    (found,) = evaluate("dev", infra)
    asks = {
        name: item["require_partition_filter"] for name, item in of(found, "google_bigquery_table").items()
    }
    assert {name for name, asked in asks.items() if not asked} == {
        'google_bigquery_table.silver["customer_transactions"]',
        'google_bigquery_table.silver["customer_transactions__superseded"]',
    }


def test_a_cluster_is_made_where_it_is_asked_for(tmp_path: Path, dev: Resources) -> None:
    infra = copy(tmp_path)
    edited(
        tmp_path / "conf/environments/dev.yaml",
        lambda document: document["spark"].update(runner="cluster", cluster="etl"),
    )
    (cluster,) = of(evaluate("dev", infra)[0], "google_dataproc_cluster").values()
    config = cluster["cluster_config"]
    assert of(dev, "google_dataproc_cluster") == {}
    assert config["encryption_config"]["kms_key_name"] == 'google_kms_crypto_key.key["dataproc"].id'
    assert config["gce_cluster_config"]["internal_ip_only"] is True
    assert config["gce_cluster_config"]["service_account"].startswith("spark-jobs@")
    assert config["staging_bucket"] == "customer-data-dev-staging"
    assert "lifecycle_config" not in config  # nothing makes or starts it again for the next job
    assert set(config["software_config"]) == {"image_version"}  # jobs bring their properties with them


def test_a_clusters_identity_may_do_what_a_models_batches_may(tmp_path: Path, dev: Resources) -> None:
    infra = copy(tmp_path)
    edited(
        tmp_path / "conf/environments/dev.yaml",
        lambda document: document["spark"].update(runner="cluster", cluster="etl"),
    )
    (found,) = evaluate("dev", infra)

    def roles(resources: Resources, who: str) -> set[tuple[str, str]]:
        given = of(resources, "google_storage_bucket_iam_member").values()
        account = resources[f'google_service_account.identity["{who}"]']["values"]["account_id"]
        mine = f"serviceAccount:{account}@"
        return {(item["bucket"], item["role"]) for item in given if item["member"].startswith(mine)}

    models = {role for bucket, role in roles(found, "trainer") if bucket == "customer-data-dev-models"}
    assert models == {
        f"roles/storage.{role}" for role in ("legacyBucketReader", "objectCreator", "objectViewer")
    }
    assert roles(found, "trainer") < roles(found, "spark")
    assert "customer-data-dev-models" not in dict(roles(dev, "spark"))


def test_an_environments_file_has_to_name_what_terraform_reads(conf: Path) -> None:
    text = "\n".join(path.read_text() for path in (ROOT / "infra").glob("*.tf"))
    read = {tuple(path.split(".")) for path in re.findall(r"(?<!try\()local\.environment\.([\w.]+)", text)}
    assert {("hash_key",), ("composer",), ("spark", "execution"), ("spark", "images")} < read
    file = conf / "environments/dev.yaml"
    whole = yaml.safe_load(file.read_text())
    whole["spark"].update(runner="cluster", cluster="etl")
    for *inside, key in sorted(read - {("composer",)}):  # without Composer it is a laptop's, not Terraform's
        document = deepcopy(whole)
        (document[inside[0]] if inside else document).pop(key)
        file.write_text(yaml.safe_dump(document))
        with pytest.raises(ConfigError, match=rf"expected the keys .*\b{key}\b"):
            load_environment("dev", conf)


def test_a_perimeter_reports_before_it_refuses(tmp_path: Path, dev: Resources) -> None:
    infra = copy(tmp_path)
    (infra / "dev.tfvars").open("a").write('access_policy = "1"\n')
    (perimeter,) = of(evaluate("dev", infra)[0], "google_access_context_manager_service_perimeter").values()
    assert of(dev, "google_access_context_manager_service_perimeter") == {}
    assert perimeter["use_explicit_dry_run_spec"] is True
    assert "status" not in perimeter
    assert "storage.googleapis.com" in perimeter["spec"]["restricted_services"]


def test_a_perimeter_lets_machines_write_their_logs(tmp_path: Path) -> None:
    """They reach the restricted services alone, which is more than what holds data."""
    infra = copy(tmp_path)
    (infra / "dev.tfvars").open("a").write('access_policy = "1"\n')
    (perimeter,) = of(evaluate("dev", infra)[0], "google_access_context_manager_service_perimeter").values()
    spec = perimeter["spec"]
    assert spec["vpc_accessible_services"]["allowed_services"] == ["RESTRICTED-SERVICES"]
    reached = {service.partition(".")[0] for service in spec["restricted_services"]}
    assert {"artifactregistry", "datalineage", "logging", "monitoring"} - reached == set()


def test_the_apis_of_all_agents_that_use_keys_are_enabled(dev: Resources) -> None:
    """Google makes the agent of a service when that is enabled, and a key can't be given to one before."""
    secrets = {"secrets": "secretmanager"}  # pragma: allowlist secret
    named = {"artifacts": "artifactregistry", "gke": "container", **secrets}
    grants = of(dev, "google_kms_crypto_key_iam_member")
    agents = {address.split('"')[1].split()[1] for address in grants}
    assert set(named) < agents
    enabled = {item["service"].partition(".")[0] for item in of(dev, "google_project_service").values()}
    assert {named.get(agent, agent) for agent in agents} - enabled == set()


def test_everything_waits_for_the_apis() -> None:
    text = "\n".join(path.read_text() for path in (ROOT / "infra").glob("*.tf"))
    block = re.compile(r'^resource "(\w+)" "(\w+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
    bodies = {f"{kind}.{name}": body for kind, name, body in block.findall(text)}
    resources = set(bodies)
    for section in re.findall(r"^locals \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL):
        parts = re.findall(r"^  (\w+) *= (.*?)(?=^  \w+ *= |\Z)", section, re.MULTILINE | re.DOTALL)
        bodies |= {f"local.{name}": body for name, body in parts}
    waiting, before = {"google_project_service.api"}, 0
    while len(waiting) > before:  # until no more is found that names what waits
        before = len(waiting)
        waiting |= {
            name
            for name, body in bodies.items()
            if waiting & set(re.findall(r"\b(?:google_\w+|local)\.\w+", body))
        }
    assert len(resources) > 50
    assert resources - waiting == set()


@pytest.mark.parametrize(
    ("file", "resource"),
    [("composer.tf", "google_composer_environment"), ("dataproc.tf", "google_dataproc_cluster")],
)
def test_machines_wait_for_their_way_to_google(file: str, resource: str) -> None:
    """Without the route and the names they start, and are given up for what they can't reach."""
    way = re.compile(r'^resource "(google_compute_route|google_dns_record_set)" "(\w+)"', re.MULTILINE)
    needed = {".".join(found) for found in way.findall((ROOT / "infra/network.tf").read_text())}
    text = (ROOT / "infra" / file).read_text()
    block = text[text.index(f'resource "{resource}"') :].partition("\n}")[0]
    waits_for = set(re.findall(r"google_\w+\.\w+", block[block.index("depends_on") :]))
    assert len(needed) == 3
    assert needed | {"google_compute_firewall.allow_google"} <= waits_for


def test_audit_logs_are_locked_where_that_is_asked_for(tmp_path: Path, dev: Resources) -> None:
    infra = copy(tmp_path)
    (infra / "dev.tfvars").open("a").write("lock_audit_logs = true\n")
    for resources, locked in ((dev, False), (evaluate("dev", infra)[0], True)):
        (kept,) = of(resources, "google_logging_project_bucket_config").values()
        assert kept["locked"] is locked


def test_the_provider_is_pinned_to_the_major_version_that_it_was_checked_with() -> None:
    text = (ROOT / "infra/versions.tf").read_text()
    assert 'required_version = ">= 1.11"' in text
    assert re.search(r'source  = "hashicorp/google"\n\s+version = "~> 7\.41"', text)


def test_variables_are_in_order_and_described() -> None:
    blocks = re.findall(
        r'^variable "(\w+)" \{\n  description = "[^"]+"\n  type ',
        (ROOT / "infra/variables.tf").read_text(),
        re.MULTILINE,
    )
    names = re.findall(r'^variable "(\w+)"', (ROOT / "infra/variables.tf").read_text(), re.MULTILINE)
    assert blocks == names == sorted(names)
    assert len(names) > 15
