# Who read and wrote what: data access logs of every service, kept in a bucket of this project, whose owners may
# shorten how long, unless lock_audit_logs makes that final.

resource "google_project_iam_audit_config" "all" {
  project = local.project
  service = "allServices"

  dynamic "audit_log_config" {
    for_each = ["ADMIN_READ", "DATA_READ", "DATA_WRITE"]
    content {
      log_type = audit_log_config.value
    }
  }

  depends_on = [google_project_service.api]
}

resource "google_logging_project_bucket_config" "audit" {
  project        = local.project
  location       = local.region
  bucket_id      = "audit"
  description    = "Audit logs."
  retention_days = var.audit_log_days
  locked         = var.lock_audit_logs

  depends_on = [google_project_service.api]
}

resource "google_logging_project_sink" "audit" {
  name                   = "audit"
  destination            = "logging.googleapis.com/${google_logging_project_bucket_config.audit.id}"
  filter                 = "logName:\"cloudaudit.googleapis.com\""
  unique_writer_identity = true
}
