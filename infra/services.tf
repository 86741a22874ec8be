# APIs of the project. They stay enabled when this is destroyed: other things may use them.

locals {
  services = toset([
    "accesscontextmanager", "artifactregistry", "bigquery", "bigquerydatapolicy", "billingbudgets", "cloudkms",
    "cloudresourcemanager", "composer", "compute", "container", "datacatalog", "datalineage", "dataproc", "dns",
    "firestore", "iam", "iamcredentials", "logging", "monitoring", "pubsub", "secretmanager", "storage", "sts",
  ])
}

resource "google_project_service" "api" {
  for_each = local.services

  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false
}
