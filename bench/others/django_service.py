"""The service with Django: its ORM and its views, in one file; gunicorn with threads, a lasting connection for each.

The settings stand here for reading; a project would have them in files of its own.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import django
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[],
    MIDDLEWARE=["django.middleware.security.SecurityMiddleware"],
    USE_TZ=True,
    LOGGING_CONFIG=None,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": os.environ["PGHOST"],
            "PORT": os.environ.get("PGPORT", ""),
            "USER": os.environ["PGUSER"],
            "NAME": os.environ["PGDATABASE"],
            "CONN_MAX_AGE": None,
        }
    },
)
django.setup()

# Only after the settings can models be declared.
from django.contrib.postgres.fields import ArrayField  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import models, transaction  # noqa: E402
from django.db.models import Func, Q  # noqa: E402
from django.db.models.functions import Now  # noqa: E402
from django.http import HttpRequest, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils import timezone  # noqa: E402
from django.views.decorators.http import require_GET, require_http_methods  # noqa: E402

ACTOR_TYPES = {"user": "human", "agent": "agent", "system": "system"}


class Stage(models.Model):
    """A stage, and how long a client may be in it."""

    stage = models.TextField(primary_key=True)
    max_days = models.IntegerField(null=True)
    waiting_flags = ArrayField(models.TextField())
    kind = models.TextField()

    class Meta:
        app_label = "service"
        db_table = "stages"


class StageTransition(models.Model):
    """What may follow what, and the permission that it takes."""

    pk = models.CompositePrimaryKey("from_stage", "to_stage")
    from_stage = models.TextField()
    to_stage = models.TextField()
    permission = models.TextField()

    class Meta:
        app_label = "service"
        db_table = "stage_transitions"


class Client(models.Model):
    """A client of the firm."""

    name = models.TextField()
    slug = models.TextField(unique=True)
    notes = models.TextField(null=True)
    gdrive_folder = models.TextField(null=True)
    stage = models.ForeignKey(Stage, models.PROTECT, db_column="stage")
    stage_entered_at = models.DateTimeField()
    stage_owner = models.TextField(null=True)
    stage_collaborators = ArrayField(models.TextField())
    stage_notes = models.TextField(null=True)
    flags = ArrayField(models.TextField())
    close_cadence = models.TextField()
    sales_tax_schedule = models.TextField()
    service_tier = models.TextField()
    returning_to_stage = models.TextField(null=True)
    eligible_reviewers = ArrayField(models.TextField(), null=True)
    active = models.BooleanField()
    version = models.BigIntegerField()

    class Meta:
        app_label = "service"
        db_table = "clients"

    @property
    def age_days(self) -> int:
        return (timezone.now() - self.stage_entered_at).days

    @property
    def attention(self) -> str | None:
        limit = self.stage.max_days
        if limit is not None and timezone.now() - self.stage_entered_at > timedelta(days=limit):
            waits = set(self.flags) & set(self.stage.waiting_flags)
            return "waiting_on_client" if waits else "stuck"
        return "stuck" if "stuck" in self.flags else None

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "slug": self.slug,
            "notes": self.notes,
            "gdrive_folder": self.gdrive_folder,
            "stage": self.stage_id,
            "stage_entered_at": self.stage_entered_at,
            "stage_owner": self.stage_owner,
            "stage_collaborators": self.stage_collaborators,
            "stage_notes": self.stage_notes,
            "flags": self.flags,
            "close_cadence": self.close_cadence,
            "sales_tax_schedule": self.sales_tax_schedule,
            "service_tier": self.service_tier,
            "returning_to_stage": self.returning_to_stage,
            "eligible_reviewers": self.eligible_reviewers,
            "active": self.active,
            "version": self.version,
            "age_days": self.age_days,
            "attention": self.attention,
        }


class StageHistory(models.Model):
    """A change of a client."""

    client = models.ForeignKey(Client, models.PROTECT)
    from_stage = models.TextField(null=True)
    to_stage = models.TextField(null=True)
    flag_added = models.TextField(null=True)
    flag_removed = models.TextField(null=True)
    occurred_at = models.DateTimeField(db_default=Now())
    actor_type = models.TextField()
    actor_id = models.TextField()
    channel = models.TextField()
    on_behalf_of = models.TextField(null=True)
    triggered_by = models.TextField(null=True)
    trigger_type = models.TextField()
    reason = models.TextField(null=True)
    payload = models.JSONField(default=dict)
    external_id = models.TextField(null=True)
    version = models.BigIntegerField()
    xid = models.BigIntegerField(db_default=Func(function="pg_current_xact_id"))
    from_entered_at = models.DateTimeField(null=True)
    from_returning_to = models.TextField(null=True)

    class Meta:
        app_label = "service"
        db_table = "stage_history"

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "client_id": self.client_id,
            "from_stage": self.from_stage,
            "to_stage": self.to_stage,
            "flag_added": self.flag_added,
            "flag_removed": self.flag_removed,
            "occurred_at": self.occurred_at,
            "actor_type": self.actor_type,
            "actor_id": self.actor_id,
            "channel": self.channel,
            "on_behalf_of": self.on_behalf_of,
            "triggered_by": self.triggered_by,
            "trigger_type": self.trigger_type,
            "reason": self.reason,
            "payload": self.payload,
            "external_id": self.external_id,
            "version": self.version,
            "xid": self.xid,
            "from_entered_at": self.from_entered_at,
            "from_returning_to": self.from_returning_to,
        }


class AgentPermission(models.Model):
    """What an actor was granted."""

    actor_id = models.TextField()
    permission = models.TextField()
    scope = models.JSONField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "service"
        db_table = "agent_permissions"


class ActorToken(models.Model):
    """A bearer token, known by its hash."""

    token_hash = models.TextField(primary_key=True)
    actor_id = models.TextField()
    revoked_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "service"
        db_table = "actor_tokens"


class RefusedError(Exception):
    """A request that is refused, with its status."""

    def __init__(self, status: int, rule: str) -> None:
        super().__init__(rule)
        self.status = status
        self.rule = rule


def answers(view: Callable[..., dict[str, Any]]) -> Callable[..., JsonResponse]:
    """Find out by the bearer token who asks, and answer as JSON."""

    def wrapped(request: HttpRequest, **arguments: Any) -> JsonResponse:
        try:
            return JsonResponse(view(_actor(request), request, **arguments))
        except RefusedError as refusal:
            return JsonResponse({"rule": refusal.rule}, status=refusal.status)

    return wrapped


def _actor(request: HttpRequest) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    try:
        known = ActorToken.objects.only("actor_id").get(
            Q(expires_at=None) | Q(expires_at__gt=timezone.now()),
            token_hash=hashlib.sha256(token.encode()).hexdigest(),
            revoked_at=None,
        )
    except ActorToken.DoesNotExist:
        known = None
    if known is None or scheme.lower() != "bearer":
        raise RefusedError(401, "unauthenticated")
    return known.actor_id


def _number(request: HttpRequest, name: str, default: int) -> int:
    try:
        return int(request.GET.get(name, default))
    except ValueError as error:
        raise RefusedError(422, "argument_not_valid") from error


@require_GET
@answers
def clients(_: str, request: HttpRequest) -> dict[str, Any]:
    """A page of the active clients."""
    size = _number(request, "page_size", 100)
    rows = list(
        Client.objects.select_related("stage")
        .filter(active=True, id__gt=_number(request, "after", 0))
        .order_by("id")[: size + 1]
    )
    return {
        "clients": [row.as_json() for row in rows[:size]],
        "next_after": rows[size - 1].id if len(rows) > size else None,
    }


@require_GET
@answers
def client(_: str, _request: HttpRequest, client_id: int) -> dict[str, Any]:
    """One client with its newest row of history."""
    found = Client.objects.select_related("stage").filter(id=client_id).first()
    if found is None:
        raise RefusedError(404, "client_not_found")
    newest = StageHistory.objects.filter(client_id=client_id, version=found.version).first()
    return {"client": found.as_json(), "history": newest.as_json() if newest else None}


@require_GET
@answers
def stage_history(_: str, request: HttpRequest, client_id: int) -> dict[str, Any]:
    """A client's history, the newest page first and the oldest of it first."""
    if not Client.objects.filter(id=client_id).exists():
        raise RefusedError(404, "client_not_found")
    rows = StageHistory.objects.filter(
        client_id=client_id, version__lt=_number(request, "before_version", 2**62)
    ).order_by("-version")[: _number(request, "limit", 20)]
    page = [row.as_json() for row in reversed(rows)]
    first = page[0]["version"] if page else 0
    return {"history": page, "next_before_version": first or None}


@require_http_methods(["PATCH"])
@answers
def set_stage(actor_id: str, request: HttpRequest, client_id: int) -> dict[str, Any]:
    """Move a client to another stage."""
    asked = json.loads(request.body)
    if not {"to_stage", "reason", "expected_version"} <= asked.keys() or not asked["reason"]:
        raise RefusedError(422, "argument_missing")
    with transaction.atomic():
        moved = (
            Client.objects.select_related("stage")
            .select_for_update(of=("self",))
            .filter(id=client_id)
            .first()
        )
        if moved is None:
            raise RefusedError(404, "client_not_found")
        if moved.version != asked["expected_version"]:
            raise RefusedError(409, "version_conflict")
        to_stage = _checked_move(actor_id, moved, asked["to_stage"])

        actor_type = ACTOR_TYPES[actor_id.partition(":")[0]]
        history = StageHistory(
            client=moved,
            from_stage=moved.stage_id,
            to_stage=to_stage.stage,
            actor_type=actor_type,
            actor_id=actor_id,
            channel="api",
            trigger_type="agent_action" if actor_type == "agent" else "manual",
            reason=asked["reason"],
            version=moved.version + 1,
            from_entered_at=moved.stage_entered_at,
            from_returning_to=moved.returning_to_stage,
        )
        if to_stage.kind != "pause":
            moved.returning_to_stage = None
        elif moved.stage.kind != "pause":
            moved.returning_to_stage = moved.stage_id
        moved.stage = to_stage
        moved.stage_entered_at = timezone.now()
        moved.flags = [flag for flag in moved.flags if flag != "stuck"]
        moved.version += 1
        moved.save(
            update_fields=["stage", "stage_entered_at", "returning_to_stage", "flags", "version"]
        )
        history.save(force_insert=True)
    return {"client": moved.as_json(), "history": history.as_json(), "changed": True}


def _checked_move(actor_id: str, moved: Client, to_stage: str) -> Stage:
    """The stage it goes to; refuse a move that the rules or the caller's grants do not allow."""
    wanted = Stage.objects.filter(stage=to_stage).first()
    if wanted is None:
        raise RefusedError(422, "unknown_stage")
    transition = StageTransition.objects.filter(
        from_stage=moved.stage_id, to_stage=to_stage
    ).first()
    resumes = moved.stage.kind == "pause" and wanted.kind not in ("pause", "exit")
    if transition is None or (resumes and to_stage != moved.returning_to_stage):
        raise RefusedError(422, "transition_not_allowed")
    if not moved.active:
        raise RefusedError(422, "client_inactive")

    grants = AgentPermission.objects.filter(
        actor_id=actor_id, revoked_at=None, permission__in=["can_admin", transition.permission]
    )
    facts = {
        "from": moved.stage_id,
        "to": to_stage,
        "clients": moved.id,
        "service_tiers": moved.service_tier,
    }
    if not any(
        all(facts.get(key) in allowed for key, allowed in (grant.scope or {}).items())
        for grant in grants
    ):
        raise RefusedError(403, "permission_missing")
    if (
        transition.permission == "can_sign_off_eom_review"
        and moved.eligible_reviewers is not None
        and actor_id not in moved.eligible_reviewers
    ):
        raise RefusedError(403, "not_eligible_reviewer")
    return wanted


urlpatterns = [
    path("api/clients", clients),
    path("api/clients/<int:client_id>", client),
    path("api/clients/<int:client_id>/stage_history", stage_history),
    path("api/clients/<int:client_id>/stage", set_stage),
]
application = get_wsgi_application()
