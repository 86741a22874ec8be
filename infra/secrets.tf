# Secrets by name. Their values are put in by hand and never pass through Terraform's state.

locals {
  # projects/<project>/secrets/<name>/versions/<n>
  hash_key = split("/", local.environment.hash_key)[3]
  # Airflow looks its connections up under this prefix.
  connections = "airflow-connections"

  # Who is told of what: each has e-mail addresses, a channel of Slack, or both.
  audiences = flatten([
    [for product in local.products : values(try(product.notify, {}))],
    [for product in local.products : try(product.alerts, [])],
    [for model in local.models : values(try(model.notify, {}))],
  ])
  product_connections = toset(concat(
    compact([for product in local.products : try(product.source.connection, "")]),
    compact([for product in local.products : try(product.serve.webhook.connection, "")]),
    compact([for audience in local.audiences : try(audience.slack, "")]),
    [for audience in local.audiences : "smtp_default" if can(audience.email)],
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
