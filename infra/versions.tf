# Terraform and the provider, pinned to one major version, and where the state is kept.

terraform {
  required_version = ">= 1.11"

  # The bucket's name comes with `terraform init -backend-config=bucket=…`: docs/deploying.md makes it.
  backend "gcs" {
    prefix = "medallion"
  }

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 7.41"
    }
  }
}

provider "google" {
  project = local.environment.project
  region  = local.environment.region

  # The API of budgets asks which project a person's calls are counted for.
  billing_project       = local.environment.project
  user_project_override = true

  default_labels = local.labels
}
