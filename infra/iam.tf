# Identities, and the least that each can do its work with: on a resource where the role can be given there.
# docs/security.md lists these grants, and says why; a test fails when the two drift apart.

locals {
  identities = {
    composer = "Runs the DAGs."
    spark    = "Runs the cleaning jobs."
    trainer  = "Runs a model's jobs."
    uploader = "Lands files in bronze."
    deployer = "Ships code, from CI."
    planner  = "Plans changes of the infrastructure for pull requests, from the state alone."
  }
  accounts = merge({ for name in keys(local.identities) : name => name }, {
    spark   = split("@", local.execution.service_account)[0]
    trainer = split("@", local.execution.training_service_account)[0]
  })
  emails = {
    for name in keys(local.identities) :
    name => "${google_service_account.identity[name].account_id}@${local.project}.iam.gserviceaccount.com"
  }
  members = merge({ for name, email in local.emails : name => "serviceAccount:${email}" }, {
    analysts = "group:${var.analysts_group}"
  })

  # Roles that only a project takes.
  project_roles = {
    analysts = ["roles/bigquery.jobUser"]
    composer = ["roles/bigquery.jobUser", "roles/composer.worker", "roles/datastore.user", local.custom.submitter]
    deployer = ["roles/bigquery.jobUser", local.custom.deployer]
    spark    = ["roles/dataproc.worker"]
    trainer  = ["roles/dataproc.worker"]
  }
  # Spark's connector and BigQuery's load jobs look at a bucket itself too, which no role on objects lets them.
  spark_reads  = ["roles/storage.legacyBucketReader", "roles/storage.objectViewer"]
  spark_writes = ["roles/storage.legacyBucketReader", "roles/storage.objectUser"]
  # Versions are added, and none is replaced or deleted.
  training_roles = concat(local.spark_reads, ["roles/storage.objectCreator"])
  bucket_roles = {
    analysts = { reports = ["roles/storage.objectViewer"] }
    composer = {
      bronze  = ["roles/storage.objectUser"]
      lake    = ["roles/storage.legacyBucketReader", "roles/storage.objectUser"]
      models  = ["roles/storage.objectUser"]
      reports = ["roles/storage.objectUser"]
    }
    deployer = {
      code     = ["roles/storage.objectCreator", "roles/storage.objectViewer"]
      composer = ["roles/storage.objectUser"]
    }
    spark = {
      bronze  = local.spark_reads
      code    = local.spark_reads
      lake    = local.spark_writes
      staging = ["roles/storage.objectUser"]
      # A cluster's jobs all run as its identity, a model's among them.
      models = local.environment.spark.runner == "cluster" ? local.training_roles : []
    }
    trainer = {
      code    = local.spark_reads
      lake    = local.spark_writes
      models  = local.training_roles
      staging = ["roles/storage.objectUser"]
    }
    # A mended file is sent again under its name, which replaces an object, and so asks for what deletes one.
    uploader = { bronze = ["roles/storage.objectUser"] }
  }
  dataset_roles = {
    analysts = { gold = ["roles/bigquery.dataViewer"] }
    composer = { for dataset in keys(local.environment.datasets) : dataset => ["roles/bigquery.dataEditor"] }
    deployer = { ops = ["roles/bigquery.dataEditor"] }
  }
  secret_roles = merge(
    { spark = { (local.hash_key) = ["roles/secretmanager.secretAccessor"] } },
    { composer = { for name in local.product_connections : "${local.connections}-${name}" => ["roles/secretmanager.secretAccessor"] } },
  )
  # Who may run something as whom.
  acts_as = { composer = ["spark", "trainer"], deployer = ["composer"] }

  # Both workers' roles reach every bucket of a project. The condition takes all but one of them out again.
  own_bucket = {
    "roles/composer.worker" = local.buckets.composer
    "roles/dataproc.worker" = local.buckets.staging
  }
  conditions = merge(
    {
      for role, bucket in local.own_bucket : role => {
        title      = "own_bucket"
        expression = "!resource.name.startsWith(\"projects/_/buckets/\") || resource.name == \"projects/_/buckets/${bucket}\" || resource.name.startsWith(\"projects/_/buckets/${bucket}/\")"
      }
    },
    {
      "roles/datastore.user" = {
        title      = "own_database"
        expression = "resource.name == \"projects/${local.project}/databases/${google_firestore_database.serving.name}\""
      }
    },
  )

  custom = { for name in ["deployer", "submitter"] : name => "projects/${local.project}/roles/medallion_${name}" }

  project_grants = merge([
    for who, roles in local.project_roles : { for role in roles : "${who} ${basename(role)}" => { who = who, role = role } }
  ]...)
  grants = {
    for kind, table in { bucket = local.bucket_roles, dataset = local.dataset_roles, secret = local.secret_roles } :
    kind => merge(flatten([
      for who, places in table : [
        for place, roles in places : { for role in roles : "${who} ${place} ${basename(role)}" => { who = who, on = place, role = role } }
      ]
    ])...)
  }
}

resource "google_service_account" "identity" {
  for_each = local.identities

  account_id   = local.accounts[each.key]
  display_name = each.key
  description  = each.value

  depends_on = [google_project_service.api]
}

resource "google_project_iam_custom_role" "role" {
  for_each = {
    deployer = {
      title       = "Ships code to Composer"
      permissions = ["composer.environments.executeAirflowCommand", "composer.environments.get", "composer.environments.update", "composer.operations.get"]
    }
    submitter = {
      title = "Submits Spark work"
      permissions = [
        "dataproc.batches.cancel", "dataproc.batches.create", "dataproc.batches.get", "dataproc.batches.list",
        "dataproc.clusters.use", "dataproc.jobs.cancel", "dataproc.jobs.create", "dataproc.jobs.get", "dataproc.jobs.list",
        "dataproc.operations.cancel", "dataproc.operations.get",
      ]
    }
  }

  role_id     = "medallion_${each.key}"
  title       = each.value.title
  permissions = each.value.permissions

  depends_on = [google_project_service.api]
}

resource "google_project_iam_member" "identity" {
  for_each = local.project_grants

  project = local.project
  role    = each.value.role
  member  = local.members[each.value.who]

  dynamic "condition" {
    for_each = try([local.conditions[each.value.role]], [])
    content {
      title      = condition.value.title
      expression = condition.value.expression
    }
  }

  depends_on = [google_project_iam_custom_role.role]
}

resource "google_storage_bucket_iam_member" "identity" {
  for_each = local.grants.bucket

  bucket = google_storage_bucket.bucket[each.value.on].name
  role   = each.value.role
  member = local.members[each.value.who]
}

# The state's bucket is made before everything else, by hand.
resource "google_storage_bucket_iam_member" "state" {
  bucket = var.state_bucket
  role   = "roles/storage.objectViewer"
  member = local.members.planner
}

resource "google_bigquery_dataset_iam_member" "identity" {
  for_each = local.grants.dataset

  dataset_id = google_bigquery_dataset.dataset[each.value.on].dataset_id
  role       = each.value.role
  member     = local.members[each.value.who]
}

resource "google_secret_manager_secret_iam_member" "identity" {
  for_each = local.grants.secret

  secret_id = google_secret_manager_secret.secret[each.value.on].secret_id
  role      = each.value.role
  member    = local.members[each.value.who]
}

resource "google_pubsub_subscription_iam_member" "composer" {
  for_each = local.on_arrival

  subscription = google_pubsub_subscription.arrivals[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = local.members.composer
}

resource "google_service_account_iam_member" "user" {
  for_each = merge([
    for who, others in local.acts_as : { for other in others : "${who} ${other}" => { who = who, other = other } }
  ]...)

  service_account_id = google_service_account.identity[each.value.other].id
  role               = "roles/iam.serviceAccountUser"
  member             = local.members[each.value.who]
}

# People and systems land files as the uploader, with short-lived tokens instead of keys.
resource "google_service_account_iam_member" "uploader" {
  for_each = var.uploaders

  service_account_id = google_service_account.identity["uploader"].id
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = each.key
}

# The platform reads personal columns as they are, analysts masked.
resource "google_data_catalog_policy_tag_iam_member" "composer" {
  policy_tag = google_data_catalog_policy_tag.personal.name
  role       = "roles/datacatalog.categoryFineGrainedReader"
  member     = local.members.composer
}

resource "google_bigquery_datapolicy_data_policy_iam_member" "analysts" {
  location       = google_bigquery_datapolicy_data_policy.masked.location
  data_policy_id = google_bigquery_datapolicy_data_policy.masked.data_policy_id
  role           = "roles/bigquerydatapolicy.maskedReader"
  member         = local.members.analysts
}
