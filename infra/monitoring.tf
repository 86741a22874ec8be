# Alerts. Each names the part of docs/operations.md that says what to do.

locals {
  runbook = "https://github.com/${var.repository}/blob/main/docs/operations.md"

  environment_filter = "resource.type=\"cloud_composer_environment\" AND resource.labels.environment_name=\"${local.composer.environment}\""
  task_filter        = "resource.type=\"cloud_composer_workflow\" AND metric.type=\"composer.googleapis.com/workflow/task/run_count\""

  alerts = merge(
    {
      dag_failed = {
        title    = "A DAG run failed"
        filter   = "resource.type=\"cloud_composer_workflow\" AND metric.type=\"composer.googleapis.com/workflow/run_count\" AND metric.labels.state=\"failed\""
        above    = 0
        period   = 300
        aligner  = "ALIGN_DELTA"
        reducer  = "REDUCE_SUM"
        group_by = ["resource.labels.workflow_name"]
        runbook  = "a-dag-run-failed"
      }
      rejected_ratio = {
        title    = "Many rows of a run were rejected"
        filter   = "resource.type=\"cloud_composer_environment\" AND metric.type=\"logging.googleapis.com/user/${google_logging_metric.rejected_ratio.name}\""
        above    = var.max_rejected_ratio
        period   = 300
        aligner  = "ALIGN_PERCENTILE_99"
        reducer  = "REDUCE_MAX"
        group_by = ["metric.labels.product"]
        runbook  = "many-rows-were-rejected"
      }
      quarantine_growth = {
        title    = "Quarantine grew by more than a fifth in a day"
        filter   = "resource.type=\"bigquery_dataset\" AND resource.labels.dataset_id=\"${local.environment.datasets.quarantine}\" AND metric.type=\"bigquery.googleapis.com/storage/stored_bytes\""
        above    = 20
        period   = local.day
        aligner  = "ALIGN_PERCENT_CHANGE"
        reducer  = "REDUCE_MAX"
        group_by = ["metric.labels.table"]
        runbook  = "many-rows-were-rejected"
      }
      dead_letters = {
        title    = "An arrival ended as a dead letter"
        filter   = "resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=\"${google_pubsub_subscription.dead.name}\" AND metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\""
        above    = 0
        period   = 300
        aligner  = "ALIGN_MAX"
        reducer  = "REDUCE_SUM"
        group_by = []
        runbook  = "dead-letters"
      }
    },
    {
      for part in ["healthy", "database_health"] : "composer_${part}" => {
        title    = part == "healthy" ? "Composer is unhealthy" : "Composer's database is unhealthy"
        filter   = "${local.environment_filter} AND metric.type=\"composer.googleapis.com/environment/${part}\""
        below    = 0.9
        period   = 900
        aligner  = "ALIGN_FRACTION_TRUE"
        reducer  = "REDUCE_MIN"
        group_by = []
        runbook  = "composer-is-unhealthy"
      }
    },
    # No publish in the whole window, and also where there is no series at all: for that the condition has to last a
    # minute, and window and minute together are 25 hours at most.
    {
      for name in keys(local.scheduled) : "stale_${name}" => {
        title    = "Nothing of ${name} was published for ${var.stale_hours} hours"
        filter   = "${local.task_filter} AND resource.labels.workflow_name=\"${name}\" AND metric.labels.task_name=\"publish\" AND metric.labels.state=\"success\""
        below    = 1
        period   = var.stale_hours * 3600 - 60
        aligner  = "ALIGN_DELTA"
        reducer  = "REDUCE_SUM"
        group_by = []
        missing  = "EVALUATION_MISSING_DATA_ACTIVE"
        runbook  = "nothing-was-published"
      }
    },
  )
}

# The audit step logs the ratio of each run: dags/pipeline/audit.py.
resource "google_logging_metric" "rejected_ratio" {
  name        = "medallion/rejected_ratio"
  description = "Rejected rows over rows read, of each run."
  filter      = "resource.type=\"cloud_composer_environment\" AND textPayload=~\"step=audit .*rejected_ratio=\""

  value_extractor = "REGEXP_EXTRACT(textPayload, \"rejected_ratio=([0-9.]+)\")"
  label_extractors = {
    product = "REGEXP_EXTRACT(textPayload, \"product=([a-z0-9_]+)\")"
  }

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = "1"

    labels {
      key        = "product"
      value_type = "STRING"
    }
  }

  bucket_options {
    exponential_buckets {
      num_finite_buckets = 40
      growth_factor      = 1.5
      scale              = 0.0001
    }
  }

  depends_on = [google_project_service.api]
}

resource "google_monitoring_notification_channel" "email" {
  for_each = var.alert_emails

  display_name = each.key
  type         = "email"
  labels       = { email_address = each.key }

  depends_on = [google_project_service.api]
}

resource "google_monitoring_alert_policy" "alert" {
  for_each = local.alerts

  display_name          = "${each.value.title} (${var.environment})"
  combiner              = "OR"
  severity              = var.environment == "prod" ? "ERROR" : "WARNING"
  notification_channels = [for channel in google_monitoring_notification_channel.email : channel.id]

  conditions {
    display_name = each.value.title

    condition_threshold {
      filter                  = each.value.filter
      comparison              = can(each.value.above) ? "COMPARISON_GT" : "COMPARISON_LT"
      threshold_value         = try(each.value.above, each.value.below)
      duration                = can(each.value.missing) ? "60s" : "0s"
      evaluation_missing_data = try(each.value.missing, null)

      aggregations {
        alignment_period     = "${each.value.period}s"
        per_series_aligner   = each.value.aligner
        cross_series_reducer = each.value.reducer
        group_by_fields      = each.value.group_by
      }
    }
  }

  documentation {
    subject   = each.value.title
    content   = "What to do: ${local.runbook}#${each.value.runbook}"
    mime_type = "text/markdown"
  }

  alert_strategy {
    auto_close = "${7 * local.day}s"
  }
}
