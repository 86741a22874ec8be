# Secrets by name. Their values are put in by hand and never pass through Terraform's state.

locals {
  # projects/<project>/secrets/<name>/versions/<n>
  hash_key = split("/", local.environment.hash_key)[3]
  # Airflow looks its connections up under this prefix.
  connections = "airflow-connections"

  product_connections = toset(concat(
    compact([for product in local.products : try(product.source.connection, "")]),
    compact([for product in local.products : try(product.serve.webhook.connection, "")]),
    [for product in local.products : "smtp_default" if can(product.notify)],
  ))
  secrets = setunion([local.hash_key], [for name in local.product_connections : "${local.connections}-${name}"])
}

resource "google_secret_manager_secret" "secret" {
  for_each = local.secrets

  secret_id           = each.key
  deletion_protection = true

  replication {
    user_managed {
      replicas {
        location = local.region
        customer_managed_encryption {
          kms_key_name = google_kms_crypto_key.key["secrets"].id
        }
      }
    }
  }

  depends_on = [google_kms_crypto_key_iam_member.agent]
}
