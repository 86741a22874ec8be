# A service perimeter that only reports what it would refuse, until somebody has read the reports.

resource "google_access_context_manager_service_perimeter" "data" {
  count = var.access_policy == null ? 0 : 1

  parent                    = "accessPolicies/${var.access_policy}"
  name                      = "accessPolicies/${var.access_policy}/servicePerimeters/medallion_${var.environment}"
  title                     = "medallion_${var.environment}"
  perimeter_type            = "PERIMETER_TYPE_REGULAR"
  use_explicit_dry_run_spec = true

  spec {
    resources = ["projects/${var.project_number}"]
    # Machines reach no others: their logs, metrics, lineage and images are among them.
    restricted_services = [
      "artifactregistry.googleapis.com", "bigquery.googleapis.com", "composer.googleapis.com", "datalineage.googleapis.com",
      "dataproc.googleapis.com", "firestore.googleapis.com", "logging.googleapis.com", "monitoring.googleapis.com",
      "pubsub.googleapis.com", "secretmanager.googleapis.com", "storage.googleapis.com",
    ]

    vpc_accessible_services {
      enable_restriction = true
      allowed_services   = ["RESTRICTED-SERVICES"]
    }
  }

  depends_on = [google_project_service.api]
}
