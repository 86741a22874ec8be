# Keys of the platform's own, one for each service, and which of Google's agents may use which.

locals {
  # BigQuery's key lies where its datasets do, every other one in the region.
  keys = {
    bigquery  = lower(local.environment.bigquery_location)
    composer  = local.region
    dataproc  = local.region
    firestore = local.region
    images    = local.region
    pubsub    = local.region
    secrets   = local.region
    storage   = local.region
  }

  # Composer encrypts its disks, images, queues and bucket with its key through the agents of those services.
  key_users = {
    bigquery  = ["bigquery"]
    composer  = ["artifacts", "composer", "compute", "gke", "pubsub", "storage"]
    dataproc  = ["compute", "dataproc", "storage"]
    firestore = ["firestore"]
    images    = ["artifacts"]
    pubsub    = ["pubsub"]
    secrets   = ["secrets"]
    storage   = ["storage"]
  }

  key_grants = merge([
    for key, agents in local.key_users : { for agent in agents : "${key} ${agent}" => { key = key, agent = agent } }
  ]...)
}

resource "google_kms_key_ring" "ring" {
  for_each = local.locations

  name     = "medallion-${each.key}"
  location = each.key

  depends_on = [google_project_service.api]
}

resource "google_kms_crypto_key" "key" {
  for_each = local.keys

  name                       = each.key
  key_ring                   = google_kms_key_ring.ring[each.value].id
  rotation_period            = "7776000s" # 90 days
  destroy_scheduled_duration = "${30 * local.day}s"

  # What a lost key encrypted is lost.
  lifecycle {
    prevent_destroy = true
  }
}

resource "google_kms_crypto_key_iam_member" "agent" {
  for_each = local.key_grants

  crypto_key_id = google_kms_crypto_key.key[each.value.key].id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = "serviceAccount:${local.agents[each.value.agent]}"
}
