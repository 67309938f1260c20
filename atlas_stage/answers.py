"""What each function of schema `api` answers. tools/make_sync.py makes a method of each line, from `sql/api/` too.

`Annotated` has the key of the record in the answer.
"""

from typing import Annotated

from atlas_stage import models
from atlas_stage.models import Json


class Answers:
    """The records by function."""

    clients: models.Page[models.Client]
    client: models.ClientView
    stage_history: models.Page[models.HistoryRow]
    queue: models.Page[models.QueueItem]
    closes: models.ClosePage
    closes_by_month: models.Page[models.MonthCloses]
    changes: models.Feed
    activity: models.Page[models.ActivityRow]
    check_stage: models.Check
    check_stages: models.Page[models.Moves]
    summary: models.Summary
    whoami: models.Actor
    health: models.Health
    set_stage: models.Change
    set_stages: models.Outcomes
    set_flags: models.Outcomes
    update_clients: models.Outcomes
    set_flag: models.Change
    clear_flag: models.Change
    rollback: models.Change
    undo: models.Change
    create_client: models.Change
    update_client: models.Change
    delete_client: Annotated[models.DeletedClient, "deleted"]
    rollback_run: models.RunRollback
    rollback_batch: models.BatchRollback
    undo_batch: models.BatchRollback
    people: models.People
    set_role: models.RoleChange
    invite: models.Invite
    accept_invite: models.IssuedToken
    hand_over: models.HandOver
    covers: models.Covers
    set_cover: models.CoverEnd
    leave: models.Leaving
    grant_permission: models.PermissionChange
    revoke_permission: models.PermissionChange
    permissions: models.Page[models.Permission]
    settings: models.Settings
    set_setting: Json
    set_stage_limit: Json
    set_transition: Json
    set_holiday: Json
    jobs: models.JobList
    run_job: models.JobRun
    issue_token: models.IssuedToken
    revoke_token: Annotated[models.Token, "token"]
    tokens: models.Page[models.Token]
    adopt_legacy_token: Annotated[models.Token, "token"]
    administration: models.Page[models.AdministrationRecord]
    verify: models.Verification
    digest: models.DigestPage
    erase_words: Annotated[models.Erasure, "erasure"]
