# Personal columns: one policy tag, which masks them for analysts and shows them to the platform alone.

resource "google_data_catalog_taxonomy" "privacy" {
  region                 = lower(local.environment.bigquery_location)
  display_name           = "medallion-privacy"
  description            = "How columns of contracts may be read."
  activated_policy_types = ["FINE_GRAINED_ACCESS_CONTROL"]

  depends_on = [google_project_service.api]
}

resource "google_data_catalog_policy_tag" "personal" {
  taxonomy     = google_data_catalog_taxonomy.privacy.id
  display_name = "personal"
  description  = "A contract calls the column personal."
}

resource "google_bigquery_datapolicy_data_policy" "masked" {
  location         = lower(local.environment.bigquery_location)
  data_policy_id   = "personal_masked"
  policy_tag       = google_data_catalog_policy_tag.personal.name
  data_policy_type = "DATA_MASKING_POLICY"

  data_masking_policy {
    predefined_expression = "SHA256"
  }
}
