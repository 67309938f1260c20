"""A Slack adapter on Bolt: people move clients with a mention or a button. docs/adapters.md explains it.

ATLAS_URL=… ATLAS_TOKEN=… SLACK_BOT_TOKEN=… SLACK_SIGNING_SECRET=… python slack_adapter.py people.json
"""

import json
import re
import sys
from pathlib import Path

from slack_bolt import App

from atlas_stage import Stage, StageError, VersionConflict

MOVE = re.compile(r"move\s+(\S+)\s+to\s+([\w ]+?)\s*:\s*(.+)", re.IGNORECASE | re.DOTALL)
HELP = "Write: move blue-heron to EOM review: all accounts reconcile"


class Adapter:
    """`people` maps Slack's user ids to actors. `app` is the Bolt app; `options` are its options."""

    def __init__(self, stage: Stage, people: dict[str, str], **options) -> None:
        self.stage, self.people, self.app = stage, people, App(**options)
        self.app.event("app_mention")(self.mentioned)
        self.app.command("/client")(self.show)
        self.app.action(re.compile("move-"))(self.pressed)

    def move(self, slack_id, key, client, to_stage, reason, version=None) -> str:
        """Move a client for a person, and say what happened. A second delivery has the same `key`."""
        if slack_id not in self.people:
            return f"I don't know <@{slack_id}> yet. Ask an admin to add you."
        origin = {"on_behalf_of": self.people[slack_id], "channel": "slack"}
        try:
            if version is None:  # it isn't part of the key: a newer one at the second delivery is fine
                version = self.stage.client(client).client.version
            done = self.stage.set_stage(client, to_stage, reason, version, external_id=f"slack-{key}", **origin)
        except VersionConflict:
            return "Someone changed this client after you opened it. Your change wasn't made."
        except StageError as error:
            return str(error)  # the database's sentence: what is missing, and who can help
        return f"{done.client.name} is in {done.client.stage}, version {done.client.version}."

    def mentioned(self, body, event, say) -> None:
        """`@atlas move blue-heron to EOM review: all accounts reconcile`. Bolt has acknowledged it already."""
        wanted = MOVE.search(event["text"])
        text = HELP
        if wanted is not None:
            slug, words, reason = wanted.groups()
            to_stage = words.lower().replace(" ", "_")
            text = self.move(event["user"], body["event_id"], slug, to_stage, reason)
        say(text=text, thread_ts=event["ts"])

    def show(self, ack, command, respond) -> None:
        """`/client blue-heron all accounts reconcile`: the client, with a button for each stage it can go to."""
        ack()  # within 3 seconds, so before any work
        slug, _, reason = command["text"].strip().partition(" ")
        try:
            client = self.stage.client(slug).client
            stages = self.stage.check_stage(client, client.stage).allowed_stages
        except StageError as error:
            respond(text=str(error))
            return
        # Each button has the version that the person sees.
        seen = [client.id, client.version, reason or "moved in Slack"]
        buttons = [
            {
                "type": "button",
                "action_id": f"move-{to_stage}",
                "text": {"type": "plain_text", "text": to_stage},
                "value": json.dumps([to_stage, *seen]),
            }
            for to_stage in stages
        ]
        text = {"type": "mrkdwn", "text": f"*{client.name}* is in {client.stage}."}
        blocks = [{"type": "section", "text": text}, {"type": "actions", "elements": buttons}]
        respond(text=client.name, blocks=blocks)

    def pressed(self, ack, body, action, respond) -> None:
        """A button of `show`."""
        ack()
        to_stage, client, version, reason = json.loads(action["value"])
        key = f"{body['user']['id']}-{action['action_ts']}"
        text = self.move(body["user"]["id"], key, client, to_stage, reason, version)
        respond(text=text, replace_original=False)


if __name__ == "__main__":
    Adapter(Stage.connect(), json.loads(Path(sys.argv[1]).read_text())).app.start(3000)
