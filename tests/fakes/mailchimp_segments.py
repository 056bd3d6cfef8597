"""Tags of a Mailchimp audience, which are its static segments, and its merge fields.

Checked against
- https://docs.rs/mailchimp-api (types of `lists/segments`): `members_to_add` and `members_to_remove`, at most 500
  each; `members_added`, `members_removed`, `errors[{email_addresses, error}]`, `total_added`, `total_removed`,
  `error_count`; `static_segment` with addresses, of which those that are not on the list are ignored
- https://github.com/hitobito/hitobito/pull/3171: who has unsubscribed is refused in `errors`, with 200
The words of these errors, and of a tag that is too long, are not documented.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tests.fakes.mailchimp import page, problem
from tests.fakes.mailchimp_rules import INVALID, MAX_TAG, md5, not_found, refuse
from tests.fakes.server import Refused, answer, sent

AT_ONCE = 500
TYPES = ("text", "number", "address", "phone", "date", "url", "imageurl", "radio", "dropdown", "birthday", "zip")


class Segments:
    """The part of a Mailchimp account that keeps tags and merge fields."""

    # ---- tags

    def tag(self, name: str, by: str = "api") -> dict:
        """The tag of this name, which comes into being when it is new."""
        if name not in self.tags:
            at = self.now()
            self.tags[name] = {
                "id": next(self._ids),
                "name": name,
                "created_at": at,
                "updated_at": at,
                "members": set(),
            }
            self.effects.note("tag_created", "", name, by)
        return self.tags[name]

    def join(self, member: dict, tag: dict, by: str = "api", silently: bool = False) -> bool:
        """A member comes to have a tag, which begins an automation unless `silently`. False: they had it."""
        if member["id"] in tag["members"]:
            return False
        tag["members"].add(member["id"])
        member["tags"].append({"id": tag["id"], "name": tag["name"]})
        self._noted("joined", member, tag, by)
        if tag["name"] in self.automations and not silently and member["status"] == "subscribed":
            self.effects.note("automation", member["email_address"], tag["name"], by)
        return True

    def leave(self, member: dict, tag: dict, by: str = "api") -> bool:
        """A member has a tag no more. False: they had not had it."""
        if member["id"] not in tag["members"]:
            return False
        tag["members"].discard(member["id"])
        member["tags"][:] = [one for one in member["tags"] if one["id"] != tag["id"]]
        self._noted("left", member, tag, by)
        return True

    def _noted(self, kind: str, member: dict, tag: dict, by: str) -> None:
        member["tags_count"] = len(member["tags"])
        self.effects.note(kind, member["email_address"], tag["name"], by)
        if by == "api" and tag["name"] in self.foreign_tags:
            self.effects.note("foreign_tag", member["email_address"], tag["name"])

    def _get_segments(self, request: Request) -> Response:
        self._need_list(request)
        kind = request.query_params.get("type", "static")
        found = [self._segment(tag) for tag in self.tags.values()] if kind == "static" else []
        return page(request, "segments", found, {"list_id": self.list_id})

    def _search_tags(self, request: Request) -> Response:
        self._need_list(request)
        begins = request.query_params.get("name", "").lower()
        found = [{"id": tag["id"], "name": name} for name, tag in self.tags.items() if name.lower().startswith(begins)]
        return answer({"tags": found, "total_items": len(found)})

    def _post_segment(self, request: Request) -> Response:
        self._need_list(request)
        given = sent(request)
        name, addresses = given.get("name"), given.get("static_segment")
        if not isinstance(name, str) or not name:
            refuse(INVALID, [("name", "Schema describes string, NULL found instead")])
        if not isinstance(addresses, list):
            refuse(INVALID, [("", "One of static_segment and options is needed; here segments are static")])
        if len(name) > 100:
            refuse(INVALID, [("name", "Tag names are at most 100 characters long")])
        if name.lower() in {known.lower() for known in self.tags}:
            refuse("Sorry, that tag already exists.", title="Bad Request")
        tag = self.tag(name)
        for address in addresses:
            if md5(address) in self.members:
                self.join(self.members[md5(address)], tag)
        return answer(self._segment(tag))

    def _get_segment(self, request: Request) -> Response:
        return answer(self._segment(self._tag_of(request)))

    def _delete_segment(self, request: Request) -> Response:
        self.drop_tag(self._tag_of(request)["name"], by="api")
        return Response(status_code=204)

    def _segment_members(self, request: Request) -> Response:
        tag = self._tag_of(request)
        shown = {"subscribed", "pending"} | {
            status
            for status in ("cleaned", "transactional", "unsubscribed")
            if request.query_params.get(f"include_{status}") == "true"
        }
        found = [self.members[key] for key in sorted(tag["members"]) if self.members[key]["status"] in shown]
        return page(request, "members", found, {})

    def _change_segment(self, request: Request) -> Response:
        """Many at once: whoever is not known is ignored without a word, whoever has left is in `errors`."""
        tag, given = self._tag_of(request), sent(request)
        lists = {name: given.get(name) or [] for name in ("members_to_add", "members_to_remove")}
        for name, addresses in lists.items():
            if len(addresses) > AT_ONCE:
                refuse(INVALID, [(name, f"Schema describes at most {AT_ONCE} items, {len(addresses)} found instead")])
        added, removed, refused = [], [], []
        for address in lists["members_to_add"]:
            member = self.members.get(md5(address))
            if member and member["status"] in ("unsubscribed", "cleaned", "archived"):
                refused.append(address)
            elif member and self.join(member, tag):
                added.append(member)
        for address in lists["members_to_remove"]:
            member = self.members.get(md5(address))
            if member and self.leave(member, tag):
                removed.append(member)
        words = "The email address is not subscribed to the list."
        errors = [{"email_addresses": refused, "error": words}] if refused else []
        return answer({
            "members_added": added, "members_removed": removed, "errors": errors, "total_added": len(added),
            "total_removed": len(removed), "error_count": len(refused), "_links": [],
        })  # fmt: skip

    def _tag_of(self, request: Request) -> dict:
        self._need_list(request)
        wanted = request.path_params["segment"]
        return next((tag for tag in self.tags.values() if str(tag["id"]) == wanted), None) or not_found()

    def _segment(self, tag: dict) -> dict:
        shown = {name: tag[name] for name in ("id", "name", "created_at", "updated_at")}
        return shown | {"member_count": len(tag["members"]), "type": "static", "list_id": self.list_id, "_links": []}

    # ---- merge fields

    def add_merge_field(
        self, tag: str, kind: str = "text", required: bool = False, choices: list | None = None
    ) -> dict:
        """A field of the audience, made by a person."""
        field = {
            "merge_id": next(self._ids), "tag": tag, "name": tag.title(), "type": kind, "required": required,
            "default_value": "", "public": False, "display_order": len(self.merge_fields) + 2,
            "options": {"size": 25} | ({"choices": choices} if choices else {}), "help_text": "",
            "list_id": self.list_id,
        }  # fmt: skip
        self.merge_fields[tag] = field
        return field

    def _get_merge_fields(self, request: Request) -> Response:
        self._need_list(request)
        return page(request, "merge_fields", list(self.merge_fields.values()), {"list_id": self.list_id})

    def _post_merge_field(self, request: Request) -> Response:
        self._need_list(request)
        given = sent(request)
        missing = [name for name in ("name", "type") if not given.get(name)]
        if missing:
            refuse(INVALID, [("", f"Required fields were not provided: {', '.join(missing)}")])
        if given["type"] not in TYPES:
            refuse(INVALID, [("type", f"Value must be one of these: {', '.join(TYPES)}")])
        if len(self.merge_fields) >= self.max_merge_fields:
            raise Refused(problem(400, "Merge Max Limit Exceed", "This list has the maximum number of merge fields."))
        tag = (given.get("tag") or f"MMERGE{len(self.merge_fields) + 1}").upper()
        if len(tag) > MAX_TAG:
            refuse(INVALID, [("tag", f"Merge tags are at most {MAX_TAG} characters long")])
        if tag in self.merge_fields:
            refuse(f'A Merge Field with the tag "{tag}" already exists for this list.')
        choices = given.get("options", {}).get("choices")
        field = self.add_merge_field(tag, given["type"], given.get("required", False), choices)
        field["name"] = given["name"]
        self.effects.note("merge_field_created", "", tag)
        return answer(field)
