# Spark: what a person's session starts from, and a cluster where conf/environments asks for one. Batches are
# submitted by DAGs, with the same identity, network, key, bucket and time limit (dags/operators/dataproc.py).

resource "google_dataproc_session_template" "interactive" {
  name     = "projects/${local.project}/locations/${local.region}/sessionTemplates/medallion"
  location = local.region

  runtime_config {
    version    = local.environment.spark.runtime_version
    properties = try(local.environment.spark.properties, {})
  }

  environment_config {
    execution_config {
      service_account = local.emails.spark
      subnetwork_uri  = google_compute_subnetwork.subnetwork.id
      network_tags    = local.execution.network_tags
      kms_key         = google_kms_crypto_key.key["dataproc"].id
      staging_bucket  = google_storage_bucket.bucket["staging"].name
      ttl             = "${local.execution.ttl_hours * 3600}s"
    }
  }
}

# It stays, whether there is work or not: nothing would make or start it again for the next job. Jobs bring their
# properties with them.
resource "google_dataproc_cluster" "etl" {
  count = local.environment.spark.runner == "cluster" ? 1 : 0

  name   = local.environment.spark.cluster
  region = local.region

  cluster_config {
    staging_bucket = google_storage_bucket.bucket["staging"].name
    temp_bucket    = google_storage_bucket.bucket["staging"].name

    gce_cluster_config {
      subnetwork             = google_compute_subnetwork.subnetwork.id
      internal_ip_only       = true
      service_account        = local.emails.spark
      service_account_scopes = ["cloud-platform"]
      tags                   = local.execution.network_tags
      metadata               = { block-project-ssh-keys = "true" }

      shielded_instance_config {
        enable_integrity_monitoring = true
        enable_secure_boot          = true
        enable_vtpm                 = true
      }
    }

    master_config {
      num_instances = 1
      machine_type  = "n2-standard-4"
    }

    worker_config {
      num_instances = 2
      machine_type  = "n2-standard-4"
    }

    software_config {
      image_version = "2.3-debian12"
    }

    encryption_config {
      kms_key_name = google_kms_crypto_key.key["dataproc"].id
    }
  }

  # Its machines talk to each other, to Google and to the bucket before it is there.
  depends_on = [
    google_compute_firewall.allow_google,
    google_compute_firewall.allow_spark_in,
    google_compute_firewall.allow_spark_out,
    google_compute_route.google,
    google_dns_record_set.any,
    google_dns_record_set.restricted,
    google_kms_crypto_key_iam_member.agent,
    google_project_iam_member.agent,
    google_project_iam_member.identity,
    google_storage_bucket_iam_member.identity,
  ]
}
