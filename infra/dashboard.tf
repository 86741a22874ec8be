# One page that shows what the alerts watch, and how long the work takes.

locals {
  charts = [
    {
      title   = "DAG runs by state"
      filter  = "resource.type=\"cloud_composer_workflow\" AND metric.type=\"composer.googleapis.com/workflow/run_count\""
      aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", by = ["resource.labels.workflow_name", "metric.labels.state"]
    },
    {
      title   = "Published runs"
      filter  = "${local.task_filter} AND metric.labels.task_name=\"publish\" AND metric.labels.state=\"success\""
      aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", by = ["resource.labels.workflow_name"]
    },
    {
      title   = "Rejected ratio"
      filter  = "resource.type=\"cloud_composer_environment\" AND metric.type=\"logging.googleapis.com/user/${google_logging_metric.rejected_ratio.name}\""
      aligner = "ALIGN_PERCENTILE_99", reducer = "REDUCE_MAX", by = ["metric.labels.product"]
    },
    {
      title   = "Quarantine, bytes"
      filter  = "resource.type=\"bigquery_dataset\" AND resource.labels.dataset_id=\"${local.environment.datasets.quarantine}\" AND metric.type=\"bigquery.googleapis.com/storage/stored_bytes\""
      aligner = "ALIGN_MEAN", reducer = "REDUCE_SUM", by = ["metric.labels.table"]
    },
    {
      title   = "Dead letters"
      filter  = "resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=\"${google_pubsub_subscription.dead.name}\" AND metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\""
      aligner = "ALIGN_MAX", reducer = "REDUCE_SUM", by = []
    },
    {
      title   = "Composer healthy"
      filter  = "${local.environment_filter} AND metric.type=\"composer.googleapis.com/environment/healthy\""
      aligner = "ALIGN_FRACTION_TRUE", reducer = "REDUCE_MIN", by = []
    },
  ]
}

# Monitoring leaves out what is zero or empty when it is asked, and each plan would put that in again: it isn't said.
resource "google_monitoring_dashboard" "platform" {
  dashboard_json = jsonencode({
    displayName = "Customer data platform (${var.environment})"
    mosaicLayout = {
      columns = 12
      tiles = [
        for index, chart in local.charts : merge(
          { for axis, at in { xPos = index % 2 * 6, yPos = floor(index / 2) * 4 } : axis => at if at > 0 },
          {
            width  = 6
            height = 4
            widget = {
              title = chart.title
              xyChart = {
                dataSets = [{
                  plotType = "LINE"
                  timeSeriesQuery = {
                    timeSeriesFilter = {
                      filter = chart.filter
                      aggregation = merge(
                        {
                          alignmentPeriod    = "3600s"
                          perSeriesAligner   = chart.aligner
                          crossSeriesReducer = chart.reducer
                        },
                        { for name, labels in { groupByFields = chart.by } : name => labels if length(labels) > 0 },
                      )
                    }
                  }
                }]
              }
            }
          },
        )
      ]
    }
  })
}
