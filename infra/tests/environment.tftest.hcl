# What Terraform itself makes of an environment: `terraform test -var-file=dev.tfvars`, with every answer mocked.
# The controls are asserted in tests/infra, on the same configuration.

mock_provider "google" {}

run "the_environment_plans" {
  command = plan

  assert {
    condition     = toset(keys(google_storage_bucket.bucket)) == toset(["bronze", "code", "composer", "lake", "models", "quarantine", "reports", "staging"])
    error_message = "Buckets: expected those of conf/environments and the three of the infrastructure."
  }

  assert {
    condition     = length(google_composer_environment.airflow.config[0].web_server_network_access_control[0].allowed_ip_range) == length(var.web_allowed_ranges)
    error_message = "Airflow's page is for the listed ranges."
  }

  assert {
    condition     = alltrue([for name in keys(local.products) : contains(keys(google_bigquery_table.silver), name)])
    error_message = "Every product in conf/products has its silver table."
  }

  assert {
    condition     = alltrue([for name in keys(local.scheduled) : contains(keys(google_monitoring_alert_policy.alert), "stale_${name}")])
    error_message = "Every product with a schedule is missed when it publishes nothing."
  }

  assert {
    condition     = toset(keys(google_pubsub_subscription.arrivals)) == toset([for name, product in local.products : name if try(product.schedule.on_arrival, false)])
    error_message = "Every product with on_arrival has a subscription of its own."
  }
}

run "a_perimeter_only_reports" {
  command = plan

  variables {
    access_policy = "123456"
  }

  assert {
    condition     = google_access_context_manager_service_perimeter.data[0].use_explicit_dry_run_spec && length(google_access_context_manager_service_perimeter.data[0].status) == 0
    error_message = "The perimeter has to have a dry-run spec and no enforced status."
  }
}

run "an_unknown_environment_is_refused" {
  command = plan

  variables {
    environment = "local"
  }

  expect_failures = [var.environment]
}

run "the_whole_internet_is_refused" {
  command = plan

  variables {
    web_allowed_ranges = { "0.0.0.0/0" = "everybody" }
  }

  expect_failures = [var.web_allowed_ranges]
}

run "more_addresses_than_a_budget_tells_are_refused" {
  command = plan

  variables {
    alert_emails = [for number in range(6) : "${number}@example.com"]
  }

  expect_failures = [var.alert_emails]
}
