"""Members of a Mailchimp audience, as clients write them.

Checked against
- https://github.com/ibericode/mailchimp-for-wordpress/issues/798: 400 "Member In Compliance State" for who had left
- https://github.com/mailchimp/mc-woocommerce/issues/951: an archived member stays archived when its fields are written
- https://github.com/brandonseydel/MailChimp.Net/issues/263: `status_if_new` does nothing to somebody who has left
- answers recorded in https://github.com/grouparoo/grouparoo (plugins/@grouparoo/mailchimp/__tests__/fixtures): 204 for
  tags; 405 "This list member cannot be removed." for who is archived already
- https://github.com/strangerstudios/pmpro-mailchimp/pull/152: an archived member may be subscribed again by `status`
Whoever was unsubscribed by the API rather than by themselves is subscribed again by a `status` without a word.
"""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from tests.fakes.mailchimp import problem
from tests.fakes.mailchimp_rules import (
    INVALID,
    md5,
    need_address,
    need_merge_fields,
    need_status,
    not_found,
    refuse,
)
from tests.fakes.server import Refused, answer, sent

REFUSED = ("unsubscribed", "cleaned", "archived")
PLAIN = ("email_type", "language", "vip", "location", "marketing_permissions", "ip_signup", "ip_opt", "timestamp_opt")


class Members:
    """The part of a Mailchimp account that keeps members; see `MailchimpAccount` for the rest of its state."""

    # ---- what a client asks for

    def _get_member(self, request: Request) -> Response:
        return answer(self._member(request))

    def _put_member(self, request: Request) -> Response:
        given, key = sent(request), self._key(request)
        address = need_address(given.get("email_address"), self.blocked)
        if key != md5(address):
            refuse(INVALID, [("email_address", "The address is not that of the subscriber hash")])
        if key in self.members:
            return answer(self.rewrite(self.members[key], given))
        return answer(self.create(address, need_status(given, "status_if_new"), given, request))

    def _post_member(self, request: Request) -> Response:
        self._need_list(request)
        given = sent(request)
        address = need_address(given.get("email_address"), self.blocked)
        if md5(address) in self.members:
            words = f"{address} is already a list member. Use PUT to insert or update list members."
            refuse(words, title="Member Exists")
        return answer(self.create(address, need_status(given, "status"), given, request))

    def _patch_member(self, request: Request) -> Response:
        return answer(self.rewrite(self._member(request), sent(request)))

    def _archive_member(self, request: Request) -> Response:
        member = self._member(request)
        if member["status"] == "archived":
            words = "This list member cannot be removed.  Please contact support."
            raise Refused(problem(405, "Method Not Allowed", words))
        self.set_status(member, "archived")
        return Response(status_code=204)

    def _forget_member(self, request: Request) -> Response:
        member = self._member(request)
        for name in [tag["name"] for tag in member["tags"]]:
            self.tags[name]["members"].discard(member["id"])
        del self.members[member["id"]]
        self.forgotten.add(member["id"])
        self.effects.note("forgotten", member["email_address"])
        return Response(status_code=204)

    def _get_tags(self, request: Request) -> Response:
        tags = [tag | {"date_added": self.now()} for tag in self._member(request)["tags"]]
        return answer({"tags": tags, "total_items": len(tags)})

    def _post_tags(self, request: Request) -> Response:
        member, given = self._member(request), sent(request)
        silently = given.get("is_syncing", False)
        for tag in given.get("tags") or refuse(INVALID, [("tags", "Required field")]):
            if tag["status"] == "active":
                self.join(member, self.tag(tag["name"]), silently=silently)
            elif tag["name"] in self.tags:
                self.leave(member, self.tags[tag["name"]])
        return Response(status_code=204)

    # ---- what comes of it

    def create(self, address: str, status: str, given: dict, request: Request | None = None) -> dict:
        """A new member. Raises `Refused`."""
        if md5(address) in self.forgotten:
            words = "was permanently deleted and cannot be re-imported. The contact must re-subscribe to get back on"
            refuse(f"{address} {words} the list.", title="Forgotten Email Not Subscribed")
        lax = request is not None and request.query_params.get("skip_merge_validation") == "true"
        defined, unknown = self.merge_fields, self.unknown_fields
        merge = need_merge_fields(given.get("merge_fields", {}), defined, unknown, required=not lax)
        plain = {name: given[name] for name in PLAIN if name in given}
        member = self.add_member(address, status, self.now(), merge_fields=merge, **plain)
        self.effects.note("created", address, status)
        if status == "pending":
            self.effects.note("confirmation_mail", address)
        for name in given.get("tags", []):
            self.join(member, self.tag(name if isinstance(name, str) else name["name"]))
        return member

    def rewrite(self, member: dict, given: dict) -> dict:
        """Other fields, and another status where one was sent. Tags of a known member are not changed by this."""
        fields = given.get("merge_fields", {})
        merge = need_merge_fields(fields, self.merge_fields, self.unknown_fields, required=False)
        if "status" in given:
            self._overwrite(member, need_status(given, "status"))
        address = given.get("email_address", member["email_address"])
        if md5(address) != member["id"]:
            self.effects.note("address_changed", member["email_address"], address)
        changed = {tag for tag, value in merge.items() if member["merge_fields"].get(tag) != value}
        plain = {name: given[name] for name in PLAIN if name in given and member.get(name) != given[name]}
        member["merge_fields"] |= merge
        member |= plain
        if changed or plain:
            member["last_changed"] = self.now()
            self.effects.note("changed", member["email_address"], ",".join(sorted(changed | set(plain))))
        return member

    def _overwrite(self, member: dict, status: str) -> None:
        address, before = member["email_address"], member["status"]
        if status not in REFUSED:
            self.effects.note("status_sent", address, status)
        if status == before:
            return
        if before in REFUSED and status not in REFUSED:
            by_themselves = before == "cleaned" or (before == "unsubscribed" and member["id"] not in self.let_go)
            if by_themselves and status != "pending":
                words = "is in a compliance state due to unsubscribe, bounce, or compliance review and cannot be"
                refuse(f"{address} {words} subscribed.", title="Member In Compliance State")
        self.set_status(member, status)

    def set_status(self, member: dict, status: str, by: str = "api") -> None:
        """A member's new status, and what it means."""
        address, before = member["email_address"], member["status"]
        if before in REFUSED and status not in REFUSED:
            self.effects.note("resubscribed", address, status, by)
        elif status != before:
            self.effects.note(status, address, before, by)
        if status == "pending":
            self.effects.note("confirmation_mail", address, by=by)
        (self.let_go.add if by == "api" and status == "unsubscribed" else self.let_go.discard)(member["id"])
        self.change(member, status, self.now())

    # ---- helpers

    def now(self) -> str:
        return datetime.now(UTC).isoformat(timespec="seconds")

    def _key(self, request: Request) -> str:
        """The id of the member that a path means, by its hash or its address."""
        self._need_list(request)
        given = request.path_params["member"]
        return md5(given) if "@" in given else given

    def _member(self, request: Request) -> dict:
        return self.members.get(self._key(request)) or not_found()

    def _need_list(self, request: Request) -> None:
        if request.path_params["list"] != self.list_id or self.list_deleted:
            not_found()
