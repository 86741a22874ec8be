# Firestore, which serve fills for applications, with backups.

resource "google_firestore_database" "serving" {
  name                              = local.environment.firestore
  location_id                       = local.region
  type                              = "FIRESTORE_NATIVE"
  delete_protection_state           = "DELETE_PROTECTION_ENABLED"
  deletion_policy                   = "ABANDON"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"

  cmek_config {
    kms_key_name = google_kms_crypto_key.key["firestore"].id
  }

  depends_on = [google_kms_crypto_key_iam_member.agent]
}

resource "google_firestore_backup_schedule" "daily" {
  database  = google_firestore_database.serving.name
  retention = "${7 * local.day}s"

  daily_recurrence {}
}
