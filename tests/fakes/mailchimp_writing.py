"""A Mailchimp account that clients may write to: the whole of what `destinations.mailchimp` needs.

    with MailchimpAccount() as tool:
        tool.add_member("ani@example.com")
        tool.tag_by_hand("vip", "ani@example.com")         # the marketer's own tag
        tool.automate("crm:winback")                       # joining it begins an automation
        tool.faults.when("POST .*/segments/.*", lambda: tool.leaves("ani@example.com"))
        ...
        assert tool.effects.of("automation", "crm:winback") == ["ani@example.com"]
        assert tool.effects.forbidden() == []
        assert tool.on("crm:winback") == {"ani@example.com"}

Members are in `mailchimp_members.py`, tags and merge fields in `mailchimp_segments.py`, batches in
`mailchimp_batches.py`, what is taken as an address or a field in `mailchimp_rules.py`; what is read from campaigns in
`mailchimp.py`. At most 10 requests at once, or 429. `data_centre` is where the account is: a key of another one gets
401. `allowed = False` is a key whose user may not do this: 403.

`POST /lists/{list}` is here with its dangers: it overwrites the status of who is known, and `sync_tags` takes away
every tag that is not named (https://docs.rs/mailchimp-api, types of `lists`: `new_members`, `updated_members`,
`errors[{email_address, error, error_code, field, field_message}]`, with 200).
"""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.fakes.elsewhere import Elsewhere
from tests.fakes.mailchimp import Mailchimp, problem
from tests.fakes.mailchimp_batches import Batches
from tests.fakes.mailchimp_members import Members
from tests.fakes.mailchimp_rules import INVALID, invalid, md5, need_address, need_status, refuse
from tests.fakes.mailchimp_segments import AT_ONCE, Segments
from tests.fakes.server import Refused, answer, endpoint, sent

KEY = "0123456789abcdef0123456789abcdef-us6"
MAX_CONNECTIONS = 10


class MailchimpAccount(Members, Segments, Batches, Mailchimp):
    """Tags are in `tags` by name, fields in `merge_fields` by tag; `blocked` says what Mailchimp answers about an
    address (after the address itself)."""

    def __init__(self, token: str = KEY, list_id: str = "a1b2c3d4e5") -> None:
        super().__init__(token, list_id)
        self.elsewhere = Elsewhere()
        self.data_centre = token.rpartition("-")[2]
        self.allowed, self.list_deleted, self.list_name = True, False, "Pelanggan"
        self.tags: dict[str, dict] = {}
        self.foreign_tags: set[str] = set()
        self.automations: set[str] = set()
        self.merge_fields: dict[str, dict] = {}
        self.unknown_fields, self.max_merge_fields = "refuse", 30
        self.blocked: dict[str, str] = {}
        self.forgotten: set[str] = set()
        self.let_go: set[str] = set()
        self.batches: dict[str, dict] = {}
        self.polls, self.stuck = 2, False
        self._work: dict[str, dict] = {}
        self._known_endpoints: list = []
        for tag, kind in _FIRST_FIELDS.items():
            self.add_merge_field(tag, kind)

    # ---- what people do there

    def leaves(self, address: str, status: str = "unsubscribed") -> None:
        """Somebody says no by themselves (or their address goes dead: `cleaned`; or is `archived` by hand)."""
        self.set_status(self.members[md5(address)], status, by="person")

    def tag_by_hand(self, name: str, *addresses: str) -> dict:
        """The marketer gives a tag of their own."""
        self.foreign_tags.add(name)
        tag = self.tag(name, by="person")
        for address in addresses:
            self.join(self.members[md5(address)], tag, by="person")
        return tag

    def drop_tag(self, name: str, by: str = "person") -> None:
        """Somebody deletes a tag; nobody has it any more."""
        tag = self.tags[name]
        for key in list(tag["members"]):
            self.leave(self.members[key], tag, by)
        del self.tags[name]
        self.effects.note("tag_deleted", "", name, by)

    def drop_field(self, tag: str) -> None:
        """Somebody deletes a merge field, and with it what it held."""
        del self.merge_fields[tag]
        for member in self.members.values():
            member["merge_fields"].pop(tag, None)

    def automate(self, *names: str) -> None:
        """From now on, an automation begins when somebody joins these tags."""
        self.automations.update(names)

    def block(self, address: str, words: str = "looks fake or invalid, please enter a real email address.") -> None:
        """Mailchimp does not take this address."""
        self.blocked[address.lower()] = words

    # ---- what is there now

    def member(self, address: str) -> dict | None:
        return self.members.get(md5(address))

    def on(self, name: str) -> set[str]:
        """The addresses that have a tag."""
        return {self.members[key]["email_address"] for key in self.tags.get(name, {"members": ()})["members"]}

    # ---- what it answers

    def routes(self) -> list[Route]:
        lists, member = "/3.0/lists/{list}", "/3.0/lists/{list}/members/{member}"
        segment, batch = f"{lists}/segments/{{segment}}", "/3.0/batches/{batch}"
        return [
            *super().routes(),
            endpoint("/3.0/", self._account), endpoint("/3.0/lists", self._lists), endpoint(lists, self._list),
            endpoint(lists, self._subscribe_many, "POST"),
            endpoint(f"{lists}/members", self._post_member, "POST"), endpoint(member, self._get_member),
            endpoint(member, self._put_member, "PUT"), endpoint(member, self._patch_member, "PATCH"),
            endpoint(member, self._archive_member, "DELETE"),
            endpoint(f"{member}/actions/delete-permanent", self._forget_member, "POST"),
            endpoint(f"{member}/tags", self._get_tags), endpoint(f"{member}/tags", self._post_tags, "POST"),
            endpoint(f"{lists}/tag-search", self._search_tags),
            endpoint(f"{lists}/segments", self._get_segments),
            endpoint(f"{lists}/segments", self._post_segment, "POST"),
            endpoint(segment, self._get_segment), endpoint(segment, self._change_segment, "POST"),
            endpoint(segment, self._delete_segment, "DELETE"), endpoint(f"{segment}/members", self._segment_members),
            endpoint(f"{lists}/merge-fields", self._get_merge_fields),
            endpoint(f"{lists}/merge-fields", self._post_merge_field, "POST"),
            endpoint("/3.0/batches", self._get_batches), endpoint("/3.0/batches", self._post_batch, "POST"),
            endpoint(batch, self._get_batch), endpoint(batch, self._delete_batch, "DELETE"),
        ]  # fmt: skip

    def refusal(self, request: Request) -> Response | None:
        if self.at_once > MAX_CONNECTIONS:
            return problem(429, "Too Many Requests", f"You have more than {MAX_CONNECTIONS} simultaneous connections.")
        refused = super().refusal(request)
        if refused is None and self.data_centre != self.token.rpartition("-")[2]:
            what = "Your API key may be invalid, or you've attempted to access the wrong datacenter."
            return problem(401, "API Key Invalid", what)
        if refused is None and not self.allowed:
            return problem(403, "Forbidden", "You are not permitted to access this resource.")
        return refused

    def bad_request(self, words: str) -> Response:
        return invalid(words)

    def _account(self, request: Request) -> Response:
        names = {"account_id": "8d3a3db4d97663a9074efcc16", "account_name": "Toko Tangga", "role": "owner"}
        return answer(names | {"total_subscribers": self._stats()["member_count"], "_links": []})

    def _lists(self, request: Request) -> Response:
        lists = [] if self.list_deleted else [self._shown()]
        return answer({"lists": lists, "total_items": len(lists), "_links": []})

    def _list(self, request: Request) -> Response:
        self._need_list(request)
        return answer(self._shown())

    def _shown(self) -> dict:
        return {"id": self.list_id, "web_id": 501, "name": self.list_name, "stats": self._stats(), "_links": []}

    def _stats(self) -> dict:
        statuses = [member["status"] for member in self.members.values()]
        counts = {"member": "subscribed", "unsubscribe": "unsubscribed", "cleaned": "cleaned"}
        counted = {f"{name}_count": statuses.count(status) for name, status in counts.items()}
        return counted | {"merge_field_count": len(self.merge_fields)}

    def _subscribe_many(self, request: Request) -> Response:
        self._need_list(request)
        given, known, errors = sent(request), {"new": [], "updated": []}, []
        rows = given.get("members")
        if not isinstance(rows, list) or len(rows) > AT_ONCE:
            refuse(INVALID, [("members", f"Schema describes an array of at most {AT_ONCE} items")])
        for row in rows:
            try:
                address = need_address(row.get("email_address"), self.blocked)
                member = self.members.get(md5(address))
                if member and not given.get("update_existing"):
                    words = "is already a list member, do you want to update? please provide update_existing:true"
                    refuse(f"{address} {words}")
                if member is None:
                    known["new"].append(self.create(address, need_status(row, "status"), row, request))
                    continue
                known["updated"].append(self.rewrite(member, row))
                if given.get("sync_tags"):
                    self._sync_tags(member, row.get("tags", []))
            except Refused as refused:
                errors.append(_row_error(row, refused))
        return answer({
            "new_members": known["new"], "updated_members": known["updated"], "errors": errors,
            "total_created": len(known["new"]), "total_updated": len(known["updated"]), "error_count": len(errors),
            "_links": [],
        })  # fmt: skip

    def _sync_tags(self, member: dict, names: list[str]) -> None:
        for tag in [tag for tag in self.tags.values() if tag["name"] not in names]:
            self.leave(member, tag)
        for name in names:
            self.join(member, self.tag(name))


_FIRST_FIELDS = {"FNAME": "text", "LNAME": "text", "ADDRESS": "address", "PHONE": "phone", "BIRTHDAY": "birthday"}


def _row_error(row: dict, refused: Refused) -> dict:
    about = json.loads(refused.response.body)
    first = (about.get("errors") or [{"field": "", "message": ""}])[0]
    code = "ERROR_CONTACT_EXISTS" if "already a list member" in about["detail"] else "ERROR_GENERIC"
    return {
        "email_address": row.get("email_address"), "error": about["detail"], "error_code": code,
        "field": first["field"], "field_message": first["message"],
    }  # fmt: skip
