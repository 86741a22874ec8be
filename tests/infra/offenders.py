"""What breaks a control that is more than a value: each function names the offenders, none where it holds."""

import re
from collections.abc import Iterator
from typing import Any

from medallion.arrival import subscription_of
from medallion.products import load_product, product_names
from tests.infra.conftest import Resources, of

DAY = 86400
BASIC = ("roles/owner", "roles/editor", "roles/viewer")
WORKERS = ("roles/composer.worker", "roles/dataproc.worker")
ALERTS = {
    *("dag_failed", "rejected_ratio", "quarantine_growth", "dead_letters"),
    *("composer_healthy", "composer_database_health", "stale_customer_transactions"),
}


def at(values: Any, path: str) -> Any:
    """The value at a dotted path; None where there is none."""
    for part in path.split("."):
        values = values.get(part) if isinstance(values, dict) else None
    return values


def grants(resources: Resources) -> list[tuple[str, str, str]]:
    """Address, role and member of everything that gives a role; a configuration without any says nothing."""

    def found() -> Iterator[tuple[str, str, str]]:
        for name, item in resources.items():
            if re.search(r"_iam_(member|binding|policy)$", item["type"]):
                members = item["values"].get("members") or [item["values"].get("member")]
                yield from ((name, str(item["values"].get("role")), str(member)) for member in members)

    given = list(found())
    assert len(given) > 40
    return given


def in_project(address: str) -> bool:
    return address.startswith("google_project_iam")


def slow_rotation(resources: Resources) -> list[str]:
    keys = of(resources, "google_kms_crypto_key")
    assert len(keys) == 8
    return [
        name
        for name, key in keys.items()
        if int((key["rotation_period"] or "0s")[:-1]) not in range(1, 90 * DAY + 1)
    ]


def keys_without_agents(resources: Resources) -> list[str]:
    granted = {item["crypto_key_id"] for item in of(resources, "google_kms_crypto_key_iam_member").values()}
    return [name for name in of(resources, "google_kms_crypto_key") if f"{name}.id" not in granted]


def buckets_that_grow(resources: Resources) -> list[str]:
    def tidies(rule: Any) -> bool:
        return bool(at(rule, "action.type") == "Delete" and at(rule, "condition.days_since_noncurrent_time"))

    buckets = of(resources, "google_storage_bucket")
    return [name for name, bucket in buckets.items() if not any(map(tidies, bucket["lifecycle_rule"]))]


def forgetful_bronze(resources: Resources) -> list[str]:
    bronze = of(resources, "google_storage_bucket")['google_storage_bucket.bucket["bronze"]']
    rules = [rule["condition"] for rule in bronze["lifecycle_rule"] if at(rule, "action.type") == "Delete"]
    assert rules
    return [f"bronze deletes by {rule}" for rule in rules if (rule["days_since_noncurrent_time"] or 0) < 365]


def unmasked(resources: Resources) -> list[str]:
    (policy,) = of(resources, "google_bigquery_datapolicy_data_policy").values()
    (reader,) = of(resources, "google_bigquery_datapolicy_data_policy_iam_member").values()
    found = {
        "type": policy["data_policy_type"],
        "expression": at(policy, "data_masking_policy.predefined_expression"),
        "reader": reader["member"].partition(":")[0],
    }
    wanted = {"type": "DATA_MASKING_POLICY", "expression": "SHA256", "reader": "group"}
    return [f"{name} is {found[name]}" for name in wanted if found[name] != wanted[name]]


def ways_out(resources: Resources) -> list[str]:
    rules = of(resources, "google_compute_firewall")
    everywhere = {
        name: rule for name, rule in rules.items() if rule.get("destination_ranges") == ["0.0.0.0/0"]
    }
    denied = [name for name, rule in everywhere.items() if at(rule, "deny.protocol") == "all"]
    silent = [name for name, rule in rules.items() if "log_config" not in rule]
    return ([] if denied else ["nothing denies egress"]) + sorted(set(everywhere) - set(denied)) + silent


def ways_in(resources: Resources) -> list[str]:
    rules = of(resources, "google_compute_firewall")
    ingress = {name: rule for name, rule in rules.items() if rule["direction"] == "INGRESS"}
    assert ingress
    return [name for name, rule in ingress.items() if not rule.get("source_tags")]


def unaudited(resources: Resources) -> list[str]:
    (config,) = of(resources, "google_project_iam_audit_config").values()
    kinds = {item["log_type"] for item in config["audit_log_config"]}
    missing = {"ADMIN_READ", "DATA_READ", "DATA_WRITE"} - kinds
    return sorted(missing) + ([] if config["service"] == "allServices" else [config["service"]])


def short_audit(resources: Resources) -> list[str]:
    (kept,) = of(resources, "google_logging_project_bucket_config").values()
    (sink,) = of(resources, "google_logging_project_sink").values()
    audited = "cloudaudit.googleapis.com" in sink["filter"]
    return (
        []
        if kept["retention_days"] >= 365 and audited
        else [f"{kept['retention_days']} days, {sink['filter']}"]
    )


def basic_roles(resources: Resources) -> list[str]:
    return [name for name, role, _ in grants(resources) if role in BASIC]


def impersonators(resources: Resources) -> list[str]:
    pattern = re.compile(r"iam\.serviceAccount(User|TokenCreator)$")
    return [name for name, role, _ in grants(resources) if in_project(name) and pattern.search(role)]


def public_grants(resources: Resources) -> list[str]:
    everybody = ("allUsers", "allAuthenticatedUsers")
    return [name for name, _, member in grants(resources) if member in everybody]


def project_wide_data(resources: Resources) -> list[str]:
    data = (
        "roles/storage.",
        "roles/bigquery.data",
        "roles/secretmanager.",
        "roles/pubsub.",
        "roles/cloudkms.",
    )
    return [
        name
        for name, role, _ in grants(resources)
        if in_project(name) and role.startswith(data) and not role.endswith(".serviceAgent")
    ]


def unseen_buckets(resources: Resources) -> list[str]:
    """Spark's connector and load jobs need storage.buckets.get; of staging the worker's role has it."""
    roles: dict[tuple[str, str], set[str]] = {}
    for item in of(resources, "google_storage_bucket_iam_member").values():
        who, bucket = item["member"].partition("@")[0], item["bucket"].rpartition("-")[2]
        roles.setdefault((who.partition(":")[2], bucket), set()).add(item["role"])
    looking = [
        (who, bucket)
        for who, bucket in roles
        if (who in ("spark-jobs", "trainer") and bucket != "staging") or (who, bucket) == ("composer", "lake")
    ]
    assert len(looking) == 7
    reader = "roles/storage.legacyBucketReader"
    return [f"{who} on {bucket}" for who, bucket in looking if reader not in roles[who, bucket]]


def wide_workers(resources: Resources) -> list[str]:
    pattern = re.compile(
        r'^!resource\.name\.startsWith\("projects/_/buckets/"\) \|\| resource\.name == "[a-z/_-]+" '
    )
    found = {
        name: item
        for name, item in of(resources, "google_project_iam_member").items()
        if item["role"] in WORKERS
    }
    assert len(found) == 3
    return [name for name, item in found.items() if not pattern.match(at(item, "condition.expression") or "")]


def readers_of_restricted(resources: Resources) -> list[str]:
    found = of(resources, "google_bigquery_dataset_iam_member")
    restricted = {
        name: item for name, item in found.items() if item["dataset_id"] in ("quarantine", "staging")
    }
    assert restricted
    return [
        name for name, item in restricted.items() if not item["member"].startswith("serviceAccount:composer@")
    ]


def loose_workflows(resources: Resources) -> list[str]:
    (provider,) = of(resources, "google_iam_workload_identity_pool_provider").values()
    subject = r"assertion\.sub == 'repo:[\w.-]+/[\w.-]+:[\w:]+'"
    condition = provider["attribute_condition"] or ""
    named = re.findall(r"'([^']+)'", condition)
    bound = [member for _, role, member in grants(resources) if role == "roles/iam.workloadIdentityUser"]
    loose = [member for member in bound if member.partition("/subject/")[2] not in named]
    return loose if bound and re.fullmatch(rf"{subject}( \|\| {subject})*", condition) else [condition]


def arrivals(resources: Resources) -> Resources:
    """The subscriptions of products that wait for files, by name."""
    subscriptions = of(resources, "google_pubsub_subscription")
    return {
        item["name"]: item
        for name, item in subscriptions.items()
        if name.startswith("google_pubsub_subscription.arrivals[")
    }


def misheard_arrivals(resources: Resources) -> list[str]:
    products = [product for product in map(load_product, product_names()) if product.on_arrival]
    expected = {
        subscription_of(product.name): f'hasPrefix(attributes.objectId, "{product.name}/")'
        for product in products
    }
    assert len(expected) > 1
    found = {name: item.get("filter") for name, item in arrivals(resources).items()}
    return [f"{name}: {text}" for name, text in (found.items() ^ expected.items())]


def lost_dead_letters(resources: Resources) -> list[str]:
    subscriptions = of(resources, "google_pubsub_subscription")
    dead = 'google_pubsub_topic.topic["dead"].id'
    read = [
        item
        for item in subscriptions.values()
        if item["topic"] == dead and "cloud_storage_config" not in item
    ]
    lost = [
        f"{name} hands nothing over"
        for name, item in arrivals(resources).items()
        if at(item, "dead_letter_policy.dead_letter_topic") != dead
    ]
    return lost + ([] if read else ["nobody reads dead letters"])


def missing_dead_letter_roles(resources: Resources) -> list[str]:
    given = {role for _, role, member in grants(resources) if "gcp-sa-pubsub" in member}
    return sorted({"roles/pubsub.publisher", "roles/pubsub.subscriber"} - given)


def unannounced(resources: Resources) -> list[str]:
    (told,) = of(resources, "google_storage_notification").values()
    sound = (
        told["event_types"] == ["OBJECT_FINALIZE"]
        and told["topic"] == 'google_pubsub_topic.topic["arrivals"].id'
    )
    return [] if sound else [f"{told['event_types']} to {told['topic']}"]


def silent_failures(resources: Resources) -> list[str]:
    policies = of(resources, "google_monitoring_alert_policy")
    named = {name.partition('"')[2].rstrip('"]') for name in policies}
    return sorted(ALERTS - named) + [
        name for name, item in policies.items() if not item["notification_channels"]
    ]


def unnoticed_silence(resources: Resources) -> list[str]:
    policies = of(resources, "google_monitoring_alert_policy")
    stale = {
        name: item["conditions"]["condition_threshold"]
        for name, item in policies.items()
        if '"stale_' in name
    }
    assert stale
    return [
        name
        for name, item in stale.items()
        if item["evaluation_missing_data"] != "EVALUATION_MISSING_DATA_ACTIVE" or item["threshold_value"] != 1
    ]


def unheard_budget(resources: Resources) -> list[str]:
    (budget,) = of(resources, "google_billing_budget").values()
    channels = at(budget, "all_updates_rule.monitoring_notification_channels")
    return [] if channels and len(budget["threshold_rules"]) == 4 else ["nobody hears of the budget"]
