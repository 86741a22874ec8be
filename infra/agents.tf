# Google's own service agents: what each is called, and the role that it acts with. Google gives the role to an agent
# that it makes by itself, and not to one that was asked for, which docs/deploying.md does for the sake of the keys.

locals {
  agents = {
    artifacts = "service-${var.project_number}@gcp-sa-artifactregistry.iam.gserviceaccount.com"
    bigquery  = "bq-${var.project_number}@bigquery-encryption.iam.gserviceaccount.com"
    composer  = "service-${var.project_number}@cloudcomposer-accounts.iam.gserviceaccount.com"
    compute   = "service-${var.project_number}@compute-system.iam.gserviceaccount.com"
    dataproc  = "service-${var.project_number}@dataproc-accounts.iam.gserviceaccount.com"
    firestore = "service-${var.project_number}@gcp-sa-firestore.iam.gserviceaccount.com"
    gke       = "service-${var.project_number}@container-engine-robot.iam.gserviceaccount.com"
    pubsub    = "service-${var.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"
    secrets   = "service-${var.project_number}@gcp-sa-secretmanager.iam.gserviceaccount.com" # pragma: allowlist secret
    storage   = "service-${var.project_number}@gs-project-accounts.iam.gserviceaccount.com"
  }

  agent_roles = {
    artifacts = "roles/artifactregistry.serviceAgent"
    composer  = "roles/composer.serviceAgent"
    dataproc  = "roles/dataproc.serviceAgent"
    firestore = "roles/firestore.serviceAgent"
    gke       = "roles/container.serviceAgent"
    pubsub    = "roles/pubsub.serviceAgent"
  }
}

resource "google_project_iam_member" "agent" {
  # checkov:skip=CKV_GCP_49: the roles are those that Google means for these agents, and gives them itself elsewhere.
  for_each = local.agent_roles

  project = local.project
  role    = each.value
  member  = "serviceAccount:${local.agents[each.key]}"

  depends_on = [google_project_service.api]
}
