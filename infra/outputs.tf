# What people and workflows need to know afterwards.

output "airflow_page" {
  description = "Airflow's page, for the ranges in web_allowed_ranges."
  value       = google_composer_environment.airflow.config[0].airflow_uri
}

output "identities" {
  description = "Service accounts by what they are for."
  value       = local.emails
}

output "workload_identity_provider" {
  description = "What a workflow names to google-github-actions/auth."
  value       = google_iam_workload_identity_pool_provider.github.name
}
