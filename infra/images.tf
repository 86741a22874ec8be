# Where the container images of models' jobs are; conf/environments names it as `spark.images`.

resource "google_artifact_registry_repository" "images" {
  location      = local.region
  repository_id = basename(local.environment.spark.images)
  description   = "Images of models' jobs."
  format        = "DOCKER"
  kms_key_name  = google_kms_crypto_key.key["images"].id

  docker_config {
    immutable_tags = true
  }

  depends_on = [google_kms_crypto_key_iam_member.agent]
}

resource "google_artifact_registry_repository_iam_member" "trainer" {
  location   = google_artifact_registry_repository.images.location
  repository = google_artifact_registry_repository.images.repository_id
  role       = "roles/artifactregistry.reader"
  member     = local.members.trainer
}
