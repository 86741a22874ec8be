# The Composer environment: private, in its own identity, reachable by an allow list.

resource "google_composer_environment" "airflow" {
  name   = local.composer.environment
  region = local.region

  storage_config {
    bucket = google_storage_bucket.bucket["composer"].name
  }

  config {
    enable_private_environment = true
    # What requirements.txt names is on PyPI, which builds of the image have to reach. What runs DAGs doesn't.
    enable_private_builds_only = false
    environment_size           = var.composer_size
    resilience_mode            = var.environment == "prod" ? "HIGH_RESILIENCE" : "STANDARD_RESILIENCE"

    node_config {
      network         = google_compute_network.network.id
      subnetwork      = google_compute_subnetwork.subnetwork.id
      service_account = local.emails.composer
    }

    encryption_config {
      kms_key_name = google_kms_crypto_key.key["composer"].id
    }

    software_config {
      image_version           = var.composer_image
      web_server_plugins_mode = "DISABLED"

      env_variables = {
        MEDALLION_ENVIRONMENT = var.environment
      }

      airflow_config_overrides = {
        core-dags_are_paused_at_creation = "True"
        secrets-backend                  = "airflow.providers.google.cloud.secrets.secret_manager.CloudSecretManagerBackend"
        # Variables are the deployment's, in Airflow's own database.
        secrets-backend_kwargs = jsonencode({
          project_id         = local.project
          connections_prefix = local.connections
          variables_prefix   = null
          config_prefix      = null
        })
      }

      cloud_data_lineage_integration {
        enabled = true
      }
    }

    web_server_network_access_control {
      dynamic "allowed_ip_range" {
        for_each = var.web_allowed_ranges
        content {
          value       = allowed_ip_range.key
          description = allowed_ip_range.value
        }
      }
    }

    recovery_config {
      scheduled_snapshots_config {
        enabled                    = true
        snapshot_location          = "gs://${google_storage_bucket.bucket["composer"].name}/snapshots"
        snapshot_creation_schedule = "0 4 * * *"
        time_zone                  = "UTC+00"
      }
    }

    data_retention_config {
      airflow_metadata_retention_config {
        retention_mode = "RETENTION_MODE_ENABLED"
        retention_days = 90
      }
    }

    maintenance_window {
      start_time = "2026-01-03T06:00:00Z"
      end_time   = "2026-01-03T18:00:00Z"
      recurrence = "FREQ=WEEKLY;BYDAY=SA,SU"
    }
  }

  # `make deploy` owns the packages, for they belong to the code.
  lifecycle {
    ignore_changes = [config[0].software_config[0].pypi_packages]
  }

  # Its components reach Google by the restricted range, from their first moment on.
  depends_on = [
    google_compute_firewall.allow_google,
    google_compute_route.google,
    google_dns_record_set.any,
    google_dns_record_set.restricted,
    google_kms_crypto_key_iam_member.agent,
    google_project_iam_member.agent,
    google_project_iam_member.identity,
    google_service_account_iam_member.user,
    google_storage_bucket_iam_member.identity,
  ]
}
