# A network without a way out: machines have no public addresses and reach Google's APIs alone, by the restricted range.

locals {
  subnetwork       = basename(local.execution.subnetwork)
  restricted_range = "199.36.153.4/30"
  # Names that lead to Google's APIs, and that the private zones below answer for.
  google_domains = { googleapis = "googleapis.com.", artifacts = "pkg.dev.", composer = "composer.cloud.google.com." }
}

resource "google_compute_network" "network" {
  name                            = local.subnetwork
  auto_create_subnetworks         = false
  delete_default_routes_on_create = true

  depends_on = [google_project_service.api]
}

resource "google_compute_subnetwork" "subnetwork" {
  name                     = local.subnetwork
  network                  = google_compute_network.network.id
  region                   = local.region
  ip_cidr_range            = var.subnet_range
  private_ip_google_access = true

  log_config {
    aggregation_interval = "INTERVAL_5_SEC"
    flow_sampling        = 0.5
    metadata             = "INCLUDE_ALL_METADATA"
  }
}

resource "google_compute_route" "google" {
  name             = "${local.subnetwork}-google"
  network          = google_compute_network.network.id
  dest_range       = local.restricted_range
  next_hop_gateway = "default-internet-gateway"
}

resource "google_compute_firewall" "deny_egress" {
  name               = "${local.subnetwork}-deny-egress"
  network            = google_compute_network.network.id
  direction          = "EGRESS"
  priority           = 65000
  destination_ranges = ["0.0.0.0/0"]

  deny {
    protocol = "all"
  }

  log_config {
    metadata = "INCLUDE_ALL_METADATA"
  }
}

resource "google_compute_firewall" "allow_google" {
  name               = "${local.subnetwork}-allow-google"
  network            = google_compute_network.network.id
  direction          = "EGRESS"
  priority           = 1000
  destination_ranges = [local.restricted_range]

  allow {
    protocol = "tcp"
    ports    = ["443"]
  }

  log_config {
    metadata = "INCLUDE_ALL_METADATA"
  }
}

# Spark's driver and executors talk to each other, and to nobody else.
resource "google_compute_firewall" "allow_spark_out" {
  name               = "${local.subnetwork}-allow-spark-out"
  network            = google_compute_network.network.id
  direction          = "EGRESS"
  priority           = 1000
  target_tags        = local.execution.network_tags
  destination_ranges = [var.subnet_range]

  allow {
    protocol = "tcp"
  }

  allow {
    protocol = "udp"
  }

  log_config {
    metadata = "INCLUDE_ALL_METADATA"
  }
}

resource "google_compute_firewall" "allow_spark_in" {
  name        = "${local.subnetwork}-allow-spark-in"
  network     = google_compute_network.network.id
  direction   = "INGRESS"
  priority    = 1000
  source_tags = local.execution.network_tags
  target_tags = local.execution.network_tags

  allow {
    protocol = "tcp"
  }

  allow {
    protocol = "udp"
  }

  log_config {
    metadata = "INCLUDE_ALL_METADATA"
  }
}

resource "google_dns_managed_zone" "google" {
  for_each = local.google_domains

  name        = "${local.subnetwork}-${each.key}"
  description = "Leads ${each.value} to the restricted range of Google's APIs."
  dns_name    = each.value
  visibility  = "private"

  private_visibility_config {
    networks {
      network_url = google_compute_network.network.id
    }
  }
}

resource "google_dns_record_set" "restricted" {
  for_each = local.google_domains

  managed_zone = google_dns_managed_zone.google[each.key].name
  name         = "restricted.${each.value}"
  type         = "A"
  ttl          = 300
  rrdatas      = [for host in range(4) : cidrhost(local.restricted_range, host)]
}

resource "google_dns_record_set" "any" {
  for_each = local.google_domains

  managed_zone = google_dns_managed_zone.google[each.key].name
  name         = "*.${each.value}"
  type         = "CNAME"
  ttl          = 300
  rrdatas      = ["restricted.${each.value}"]
}
