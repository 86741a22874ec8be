"""docs/security.md tells the grants of the configuration, no more and no less."""

import re

import pytest

from medallion.documents import ROOT
from tests.infra.conftest import ENVIRONMENTS, Resources, of
from tests.infra.offenders import grants

PAGE = (ROOT / "docs/security.md").read_text()
IDENTITIES = {"analysts", "composer", "spark", "trainer", "uploader", "deployer", "planner"}
# What a kind of resource is called on the page, and the argument that names one.
PLACES = {
    "google_artifact_registry_repository_iam_member": ("repository", "repository"),
    "google_bigquery_dataset_iam_member": ("dataset", "dataset_id"),
    "google_bigquery_datapolicy_data_policy_iam_member": ("data policy", "data_policy_id"),
    "google_data_catalog_policy_tag_iam_member": ("policy tag", "policy_tag"),
    "google_pubsub_subscription_iam_member": ("subscription", "subscription"),
    "google_secret_manager_secret_iam_member": ("secret", "secret_id"),
    "google_service_account_iam_member": ("service account", "service_account_id"),
    "google_storage_bucket_iam_member": ("bucket", "bucket"),
}


def configured(resources: Resources, environment: str) -> set[tuple[str, str, str]]:
    """Identity, place and role of each grant to an identity of the platform."""
    found = set()
    made = of(resources, "google_service_account")
    names = {item["account_id"]: address.split('"')[1] for address, item in made.items()}
    for address, role, member in grants(resources):
        account = re.match(r"(?:serviceAccount:|group:)([\w-]+)@", member)
        identity = account and names.get(account[1], account[1])
        if identity not in IDENTITIES:
            continue
        item = resources[address]
        place = "project"
        if item["type"] != "google_project_iam_member":
            kind, argument = PLACES[item["type"]]
            name = item["values"][argument]
            if isinstance(name, dict):  # what only Google knows: the parser tells which resource it is of
                name = name["__name__"]
            name = re.sub(r'^google_\w+\.\w+\["(.+)"\]\.id$', r"\1", name)
            # There is one for each connection, or product.
            name = re.sub(r"^(airflow-connections|arrivals)-\w+$", r"\1-…", name)
            place = f"{kind} {name.removeprefix(f'customer-data-{environment}-')}"
        found.add((identity, place, role.removeprefix(f"projects/customer-data-{environment}/roles/")))
    return found


def rows(header: str) -> list[list[str]]:
    """Cells of the table under a header line."""
    table = PAGE[PAGE.index(header) :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in table]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_page_lists_the_grants(environment: str, environments: dict[str, Resources]) -> None:
    listed = [tuple(row[:3]) for row in rows("| identity | on | role | why |")]
    assert len(listed) > 40
    assert set(listed) == configured(environments[environment], environment)
    assert len(listed) == len(set(listed))


def test_every_grant_has_a_reason() -> None:
    assert [row for row in rows("| identity | on | role | why |") if not row[3]] == []


def test_the_page_lists_the_keys_users(dev: Resources) -> None:
    listed = {row[0]: set(row[1].split(", ")) for row in rows("| key | agents |")}
    found: dict[str, set[str]] = {}
    for address in of(dev, "google_kms_crypto_key_iam_member"):
        key, agent = re.findall(r'"(\w+) (\w+)"', address)[0]
        found.setdefault(key, set()).add(agent)
    assert listed == found


def test_the_page_lists_the_roles_of_agents(dev: Resources) -> None:
    found = {
        address.split('"')[1]: item["role"]
        for address, item in of(dev, "google_project_iam_member").items()
        if address.startswith("google_project_iam_member.agent[")
    }
    assert dict(rows("| agent | role |")) == found


def test_an_agent_that_is_asked_for_gets_its_role(dev: Resources) -> None:
    """Google gives it none: https://cloud.google.com/iam/docs/create-service-agents"""
    page = (ROOT / "docs/deploying.md").read_text()
    asked = re.search(r"for service in ([a-z ]+); do\n.*\n +gcloud beta services identity create", page)
    assert asked
    roles = {item["role"] for item in of(dev, "google_project_iam_member").values()}
    services = set(asked[1].split()) - {"secretmanager"}  # whose agent has no role
    assert len(services) == 6
    assert {f"roles/{service}.serviceAgent" for service in services} - roles == set()


def test_a_new_grant_would_be_missed(dev: Resources) -> None:
    extra = {
        "type": "google_storage_bucket_iam_member",
        "values": {"member": "serviceAccount:spark-jobs@x", "role": "roles/storage.admin", "bucket": "b"},
    }
    listed = {tuple(row[:3]) for row in rows("| identity | on | role | why |")}
    changed = configured({**dev, "google_storage_bucket_iam_member.x": extra}, "dev")
    assert changed - listed == {("spark", "bucket b", "roles/storage.admin")}
