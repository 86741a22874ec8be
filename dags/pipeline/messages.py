"""Messages to people, through Airflow's notifiers: e-mail, and a Slack channel."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow.exceptions import AirflowException
from airflow.providers.slack.notifications.slack_webhook import SlackWebhookNotifier
from airflow.providers.smtp.notifications.smtp import SmtpNotifier
from markupsafe import escape

from medallion.alerts import Audience

LONGEST = 2000  # characters of a fact: a reason may be a whole driver's log
SECONDS = 30

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Message:
    """A subject, facts by what they are called, and where there is more. What stands there may come from
    files, so it is escaped; and it is no template.
    """

    subject: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    link: str | None = None

    @property
    def html(self) -> str:
        """The message as an e-mail's body."""
        lines = [f"<p>{escape(name)}: {escape(text)}</p>" for name, text in self._shown().items()]
        if self.link:
            lines.append(f'<p>Log: <a href="{escape(self.link)}">{escape(self.link)}</a></p>')
        return "\n".join(lines)

    @property
    def slack(self) -> str:
        """The message as Slack takes it, which reads three characters as markup."""
        lines = [f"{name}: {text}" for name, text in self._shown().items()]
        text = "\n".join([f"*{self.subject}*", *lines, *([f"Log: {self.link}"] if self.link else [])])
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    def _shown(self) -> dict[str, str]:
        return {name: str(text)[:LONGEST] for name, text in self.facts.items() if text is not None}


def send(message: Message, audience: Audience) -> None:
    """Sends a message on each channel of an audience.

    One channel that fails does not keep the others from it, and is told by the log: who was reached is not
    told again for the sake of who wasn't. Raises AirflowException when nobody was reached.
    """
    notifiers: list[Any] = []
    if audience.email:
        notifiers.append(
            SmtpNotifier(
                to=list(audience.email), subject="{{ message.subject }}", html_content="{{ message.html }}"
            )
        )
    if audience.slack:
        channel = audience.slack
        notifiers.append(
            SlackWebhookNotifier(slack_webhook_conn_id=channel, text="{{ message.slack }}", timeout=SECONDS)
        )
    failures = []
    for notifier in notifiers:
        try:
            notifier({"message": message})
        except Exception as error:  # whatever the channel's client raises
            log.exception("Could not send %r by %s", message.subject, type(notifier).__name__)
            failures.append(f"{type(notifier).__name__}: {error}")
    if notifiers and len(failures) == len(notifiers):
        raise AirflowException(f"Nobody could be told {message.subject!r}: {'; '.join(failures)}")
