# Arrival: bronze announces each object to a topic; what nobody can take ends as a dead letter that somebody looks at.

locals {
  pubsub = { arrivals = "arrivals", dead = "arrivals-dead-letters" }
}

resource "google_pubsub_topic" "topic" {
  for_each = local.pubsub

  name                       = each.value
  kms_key_name               = google_kms_crypto_key.key["pubsub"].id
  message_retention_duration = "${7 * local.day}s"

  message_storage_policy {
    allowed_persistence_regions = [local.region]
  }

  depends_on = [google_kms_crypto_key_iam_member.agent]
}

# One for each product that waits for files, so that none takes what is another's: medallion/arrival.py has the name.
# A bucket tells ten topics at most of new objects, so that it tells one, and each product picks its own by a filter.
resource "google_pubsub_subscription" "arrivals" {
  for_each = local.on_arrival

  name                       = "${local.pubsub.arrivals}-${each.key}"
  topic                      = google_pubsub_topic.topic["arrivals"].id
  filter                     = "hasPrefix(attributes.objectId, \"${each.key}/\")"
  ack_deadline_seconds       = 60
  message_retention_duration = "${7 * local.day}s"

  expiration_policy {
    ttl = ""
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.topic["dead"].id
    max_delivery_attempts = 5
  }
}

# A dead-letter topic without a subscription drops what it is given.
resource "google_pubsub_subscription" "dead" {
  name                       = local.pubsub.dead
  topic                      = google_pubsub_topic.topic["dead"].id
  ack_deadline_seconds       = 60
  message_retention_duration = "${7 * local.day}s"
  retain_acked_messages      = true

  expiration_policy {
    ttl = ""
  }
}

# Kept for longer than a subscription can, with the attributes, for there is nothing else in an announcement.
resource "google_pubsub_subscription" "dead_archive" {
  name                 = "${local.pubsub.dead}-archive"
  topic                = google_pubsub_topic.topic["dead"].id
  ack_deadline_seconds = 300

  expiration_policy {
    ttl = ""
  }

  cloud_storage_config {
    bucket          = google_storage_bucket.bucket["quarantine"].name
    filename_prefix = "dead-letters/"
    max_duration    = "300s"

    avro_config {
      write_metadata = true
    }
  }

  depends_on = [google_storage_bucket_iam_member.agent]
}

# Without a payload: what a run reads is told by the bucket, and Airflow hands its events on to every task of a run.
resource "google_storage_notification" "landed" {
  bucket         = google_storage_bucket.bucket["bronze"].name
  topic          = google_pubsub_topic.topic["arrivals"].id
  payload_format = "NONE"
  event_types    = ["OBJECT_FINALIZE"]

  depends_on = [google_pubsub_topic_iam_member.agent]
}

# What Google's own agents do on the platform's behalf: announce, hand over to the dead letters, archive.
resource "google_pubsub_topic_iam_member" "agent" {
  for_each = { arrivals = local.agents.storage, dead = local.agents.pubsub }

  topic  = google_pubsub_topic.topic[each.key].id
  role   = "roles/pubsub.publisher"
  member = "serviceAccount:${each.value}"
}

resource "google_pubsub_subscription_iam_member" "agent" {
  for_each = local.on_arrival

  subscription = google_pubsub_subscription.arrivals[each.key].id
  role         = "roles/pubsub.subscriber"
  member       = "serviceAccount:${local.agents.pubsub}"
}

resource "google_storage_bucket_iam_member" "agent" {
  for_each = toset(["roles/storage.objectCreator", "roles/storage.legacyBucketReader"])

  bucket = google_storage_bucket.bucket["quarantine"].name
  role   = each.key
  member = "serviceAccount:${local.agents.pubsub}"
}
