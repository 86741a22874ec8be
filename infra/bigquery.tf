# Datasets, and the silver tables that contracts describe. Gold, quarantine and ops are made by the platform's own SQL.

locals {
  restricted = ["quarantine", "staging"]

  columns = {
    for name, product in local.products : name => [
      for column in local.contracts[product.contract].schema[0].properties : merge(column, {
        custom = { for item in try(column.customProperties, []) : item.property => item.value }
        number = try(regex("^NUMERIC\\((\\d+), *(\\d+)\\)$", column.physicalType), null)
      })
    ]
  }

  # A personal column is hashed unless it is dropped; a hash of a person is still told apart from other columns.
  personal = {
    for name, columns in local.columns : name => [
      for column in columns : column.name
      if try(column.classification, "") == "personal" || try(column.custom.protection, "") == "hash"
    ]
  }
  silver_schemas = {
    for name, columns in local.columns : name => concat(
      [
        for column in columns : merge(
          {
            name        = column.name
            type        = column.number == null ? column.physicalType : "NUMERIC"
            mode        = try(column.required, false) ? "REQUIRED" : "NULLABLE"
            description = trimspace(try(column.description, ""))
          },
          column.number == null ? {} : { precision = column.number[0], scale = column.number[1] },
          contains(local.personal[name], column.name) ? {
            policyTags = { names = [google_data_catalog_policy_tag.personal.id] }
          } : {},
        ) if try(column.custom.protection, "") != "drop"
      ],
      [for name, column in local.silver_own : merge(column, { name = name, mode = "REQUIRED" })],
    )
  }
  silver_own = {
    key_hash          = { type = "INT64", description = "Hash of the key, by which versions of a row are found." }
    row_hash          = { type = "INT64", description = "Hash of the row, which decides between rows of one key and time." }
    source_file       = { type = "STRING", description = "The object that brought the row." }
    source_generation = { type = "INT64", description = "The version of that object." }
    run               = { type = "STRING", description = "The run that published the row." }
  }

  # What another contract refers to is read as a whole, by its keys, at the beginning of each run.
  referenced = toset(flatten([
    for contract in values(local.contracts) : [
      for column in contract.schema[0].properties : [
        for relationship in try(column.relationships, []) : split(".", relationship.to)[0]
      ]
    ]
  ]))
  silver_tables = merge([
    for name, product in local.products : {
      for suffix in ["", "__superseded"] : "${name}${suffix}" => { product = name, layout = product.silver }
    }
  ]...)
}

resource "google_bigquery_dataset" "dataset" {
  for_each = local.environment.datasets

  dataset_id                  = each.value
  description                 = "${title(each.key)} of the customer data platform."
  location                    = local.environment.bigquery_location
  delete_contents_on_destroy  = false
  max_time_travel_hours       = 168
  default_table_expiration_ms = each.key == "staging" ? local.environment.staging_days * local.day * 1000 : null
  labels                      = { restricted = contains(local.restricted, each.key) ? "yes" : "no" }

  default_encryption_configuration {
    kms_key_name = google_kms_crypto_key.key["bigquery"].id
  }

  depends_on = [google_kms_crypto_key_iam_member.agent]
}

# The platform adds the nullable columns that a contract gains, and those that files bring where it lets them: a plan
# that took them away again would lose data. So the schema is Terraform's when a table is made, and then the platform's.
resource "google_bigquery_table" "silver" {
  for_each = local.silver_tables

  dataset_id               = google_bigquery_dataset.dataset["silver"].dataset_id
  table_id                 = each.key
  deletion_protection      = true
  require_partition_filter = !contains(local.referenced, each.value.product)
  clustering               = try(each.value.layout.cluster_by, null)
  schema                   = jsonencode(local.silver_schemas[each.value.product])

  time_partitioning {
    type  = "DAY"
    field = each.value.layout.partition_by
  }

  encryption_configuration {
    kms_key_name = google_kms_crypto_key.key["bigquery"].id
  }

  lifecycle {
    ignore_changes  = [schema]
    prevent_destroy = true
  }
}
