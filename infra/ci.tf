# Workflows of one repository, without keys: GitHub's token is exchanged for an identity of the platform.

resource "google_iam_workload_identity_pool" "github" {
  workload_identity_pool_id = "github"
  display_name              = "GitHub Actions"

  depends_on = [google_project_service.api]
}

resource "google_iam_workload_identity_pool_provider" "github" {
  workload_identity_pool_id          = google_iam_workload_identity_pool.github.workload_identity_pool_id
  workload_identity_pool_provider_id = "github"
  display_name                       = "GitHub Actions"
  # Anybody's workflow gets a token from GitHub: only those of two kinds of job of this repository are taken.
  attribute_condition = "assertion.sub == 'repo:${var.repository}:environment:${var.environment}' || assertion.sub == 'repo:${var.repository}:pull_request'"
  attribute_mapping = {
    "google.subject"       = "assertion.sub"
    "attribute.repository" = "assertion.repository"
  }

  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}

locals {
  # A job that deploys names the GitHub environment, whose rules say which branch and who. A pull request may only plan.
  workflows = {
    deployer = "repo:${var.repository}:environment:${var.environment}"
    planner  = "repo:${var.repository}:pull_request"
  }
  pool = "projects/${var.project_number}/locations/global/workloadIdentityPools/${google_iam_workload_identity_pool.github.workload_identity_pool_id}"
}

resource "google_service_account_iam_member" "workflow" {
  for_each = local.workflows

  service_account_id = google_service_account.identity[each.key].id
  role               = "roles/iam.workloadIdentityUser"
  member             = "principal://iam.googleapis.com/${local.pool}/subject/${each.value}"
}
