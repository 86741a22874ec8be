# Buckets: those that conf/environments names, and those that Composer, Dataproc and dead letters need.

locals {
  buckets = merge(local.environment.buckets, {
    composer   = local.composer.bucket
    quarantine = "${local.project}-quarantine"
    staging    = local.execution.staging_bucket
  })
  # Days for which what was replaced or deleted is kept, and after which what is there goes. Bronze has no retention
  # policy, under which a file could not be sent again: its versions keep what was replaced.
  noncurrent_days = { bronze = 365, composer = 30, quarantine = 90, staging = 7 }
  expiry_days     = { quarantine = [90], staging = [14] }

  bucket_settings = {
    for holds, name in local.buckets : holds => {
      name = name
      rules = concat(
        [
          { action = "Delete", noncurrent = lookup(local.noncurrent_days, holds, 90) },
          { action = "AbortIncompleteMultipartUpload", age = 7 },
        ],
        [for days in lookup(local.expiry_days, holds, []) : { action = "Delete", age = days }],
        # Composer adds one each day (composer.tf), and takes none away.
        holds == "composer" ? [{ action = "Delete", age = 30, prefixes = ["snapshots/"] }] : [],
      )
    }
  }
}

resource "google_storage_bucket" "bucket" {
  # checkov:skip=CKV_GCP_62: audit.tf logs every read and write of every bucket, sooner and with more in it.
  for_each = local.bucket_settings

  name                        = each.value.name
  location                    = local.region
  public_access_prevention    = "enforced"
  uniform_bucket_level_access = true
  force_destroy               = false
  labels                      = { holds = each.key }

  encryption {
    default_kms_key_name = google_kms_crypto_key.key["storage"].id
  }

  versioning {
    enabled = true
  }

  soft_delete_policy {
    retention_duration_seconds = 7 * local.day
  }

  lifecycle {
    prevent_destroy = true
  }

  dynamic "lifecycle_rule" {
    for_each = each.value.rules
    content {
      action {
        type = lifecycle_rule.value.action
      }
      condition {
        age                        = lookup(lifecycle_rule.value, "age", null)
        days_since_noncurrent_time = lookup(lifecycle_rule.value, "noncurrent", null)
        matches_prefix             = lookup(lifecycle_rule.value, "prefixes", null)
      }
    }
  }

  depends_on = [google_kms_crypto_key_iam_member.agent]
}
